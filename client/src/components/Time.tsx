// Time.tsx - a localized time, with the exact time on hover and for programs.
const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const dateAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export function Time({ at, withTime = false }: { at: string; withTime?: boolean }) {
    const moment = new Date(at);

    return (
        <time dateTime={at} title={dateAndTime.format(moment)}>
            {(withTime ? dateAndTime : date).format(moment)}
        </time>
    );
}

// ContextKeys.tsx - context keys that a prompt requires.
import { useQuery } from '@tanstack/react-query';
import { getEnums } from '../../../api/admin';
import { keys } from '../../../api/queryKeys';
import { Icon } from '../../../components/Icon';
import { Skeleton } from '../../../components/Skeleton';

interface ContextKeysProps {
    chosen: readonly string[];
    error?: string;
    onChange: (chosen: string[]) => void;
}

export function ContextKeys({ chosen, error, onChange }: ContextKeysProps) {
    const enums = useQuery({ queryKey: keys.enums, queryFn: ({ signal }) => getEnums(signal), staleTime: 5 * 60_000 });
    const known = enums.data?.context_keys.map((one) => one.value) ?? [];
    const all = [...known, ...chosen.filter((one) => !known.includes(one))];

    return (
        <fieldset className="fieldset" aria-describedby={error ? 'context-keys-error' : undefined}>
            <legend>Required context</legend>
            <div className="row">
                {all.map((key) => (
                    <label key={key} className="tick">
                        <input
                            type="checkbox"
                            checked={chosen.includes(key)}
                            onChange={(event) =>
                                onChange(
                                    all.filter((one) => (one === key ? event.target.checked : chosen.includes(one))),
                                )
                            }
                        />
                        <code>{key}</code>
                    </label>
                ))}
                {!all.length && <Skeleton className="prompts-skeleton-keys" />}
            </div>
            {error && (
                <p className="field-error" id="context-keys-error">
                    <Icon name="warning" size={16} />
                    {error}
                </p>
            )}
        </fieldset>
    );
}

// fields.tsx - form controls: text, checkbox, password, user.
import { useState } from 'react';
import type { InputHTMLAttributes, ReactNode, TextareaHTMLAttributes } from 'react';
import { Button } from '../../../components/Button';
import { Field } from '../../../components/Field';
import { UserPicker } from '../../../components/pickers';
import { useAccount } from '../../../components/UserName';

interface TextProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'onChange' | 'value'> {
    label: string;
    value: string;
    onChange: (value: string) => void;
    error?: string;
    hint?: ReactNode;
}

export function TextField({ label, value, onChange, error, hint, ...rest }: TextProps) {
    return (
        <Field label={label} error={error} hint={hint}>
            {(props) => (
                <input
                    {...rest}
                    {...props}
                    className="input"
                    value={value}
                    onChange={(event) => onChange(event.target.value)}
                />
            )}
        </Field>
    );
}

interface AreaProps extends Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, 'onChange' | 'value'> {
    label: string;
    value: string;
    onChange: (value: string) => void;
    error?: string;
    hint?: ReactNode;
}

export function AreaField({ label, value, onChange, error, hint, ...rest }: AreaProps) {
    return (
        <Field label={label} error={error} hint={hint}>
            {(props) => (
                <textarea
                    {...rest}
                    {...props}
                    className="input admin-area"
                    value={value}
                    onChange={(event) => onChange(event.target.value)}
                />
            )}
        </Field>
    );
}

export function PasswordField({
    label,
    value,
    onChange,
    error,
    hint,
    autoFocus,
}: Pick<TextProps, 'label' | 'value' | 'onChange' | 'error' | 'hint' | 'autoFocus'>) {
    const [isShown, setShown] = useState(false);

    return (
        <Field
            label={label}
            error={error}
            hint={hint}
            aside={
                <Button size="small" tone="quiet" aria-pressed={isShown} onClick={() => setShown(!isShown)}>
                    Show it
                </Button>
            }
        >
            {(props) => (
                <input
                    {...props}
                    className="input"
                    type={isShown ? 'text' : 'password'}
                    autoComplete="new-password"
                    autoFocus={autoFocus}
                    spellCheck={false}
                    value={value}
                    onChange={(event) => onChange(event.target.value)}
                />
            )}
        </Field>
    );
}

interface TickProps {
    label: string;
    checked: boolean;
    onChange: (checked: boolean) => void;
    hint?: ReactNode;
    error?: string;
}

export function TickField({ label, checked, onChange, hint, error }: TickProps) {
    return (
        <label className="tick">
            <input
                type="checkbox"
                checked={checked}
                aria-invalid={error ? true : undefined}
                onChange={(event) => onChange(event.target.checked)}
            />
            <span className="tick-body">
                <span>{label}</span>
                {hint && <span className="hint">{hint}</span>}
                {error && <span className="field-error">{error}</span>}
            </span>
        </label>
    );
}

interface UserFieldProps {
    label: string;
    /** The user's id. */
    value: string | null;
    onChange: (id: string | null) => void;
    none?: string;
    error?: string;
    hint?: ReactNode;
}

/** Picks a user; the value is the id. */
export function UserField({ value, onChange, ...rest }: UserFieldProps) {
    const { data } = useAccount(value);
    const name = data ? `${data.first_name} ${data.last_name}`.trim() : '';

    return (
        <UserPicker
            {...rest}
            chosen={value ? { value, label: data?.email ?? '…', detail: name || undefined } : null}
            onChange={(item) => onChange(item?.value ?? null)}
        />
    );
}

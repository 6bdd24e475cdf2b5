// Field.tsx - a control with label, hint and error, connected for assistive technology.
import { useId } from 'react';
import type { ReactNode } from 'react';
import { Icon } from './Icon';

export interface ControlProps {
    id: string;
    'aria-describedby'?: string;
    'aria-invalid'?: true;
}

interface FieldProps {
    label: ReactNode;
    hint?: ReactNode;
    error?: ReactNode;
    /** Shown at the end of the label's line. */
    aside?: ReactNode;
    /** Renders the control with these props. */
    children: (props: ControlProps) => ReactNode;
}

export function Field({ label, hint, error, aside, children }: FieldProps) {
    const id = useId();
    const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');

    return (
        <div className="field">
            <div className="field-line">
                <label className="label" htmlFor={id}>
                    {label}
                </label>
                {aside}
            </div>
            {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': error ? true : undefined })}
            {hint && (
                <p className="hint" id={`${id}-hint`}>
                    {hint}
                </p>
            )}
            {error && (
                <p className="field-error" id={`${id}-error`}>
                    <Icon name="warning" size={16} />
                    {error}
                </p>
            )}
        </div>
    );
}

// Button.tsx - a button with a busy state.
import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import { Spinner } from './Icon';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
    tone?: 'primary' | 'default' | 'quiet' | 'danger';
    size?: 'small' | 'normal';
    busy?: boolean;
    icon?: ReactNode;
    ref?: Ref<HTMLButtonElement>;
}

/** While `busy`, it stays in the tab order and ignores clicks. */
export function Button({
    tone = 'default',
    size = 'normal',
    busy = false,
    icon,
    className = '',
    children,
    onClick,
    ...rest
}: ButtonProps) {
    return (
        <button
            type="button"
            {...rest}
            aria-disabled={busy || rest['aria-disabled'] || undefined}
            className={`button button-${tone} ${size === 'small' ? 'button-small' : ''} ${className}`}
            onClick={busy ? (event) => event.preventDefault() : onClick}
        >
            {busy ? <Spinner /> : icon}
            {children !== undefined && <span>{children}</span>}
        </button>
    );
}

interface IconButtonProps extends Omit<ButtonProps, 'children' | 'icon'> {
    label: string;
    icon: ReactNode;
}

/** A button with an icon only. Screen readers read its label; the browser shows it on hover. */
export function IconButton({ label, className = '', tone = 'quiet', ...rest }: IconButtonProps) {
    return <Button {...rest} tone={tone} aria-label={label} title={label} className={`button-icon ${className}`} />;
}

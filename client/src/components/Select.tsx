// Select.tsx - a styled native select.
import type { SelectHTMLAttributes } from 'react';
import { Icon } from './Icon';

export function Select({ className = '', children, ...rest }: SelectHTMLAttributes<HTMLSelectElement>) {
    return (
        <span className={`select-box ${className}`}>
            <select {...rest} className="input">
                {children}
            </select>
            <Icon name="down" size={18} />
        </span>
    );
}

// EmptyState.tsx - a message for an empty list, with a hint on what to do.
import type { ReactNode } from 'react';
import { Icon } from './Icon';
import type { IconName } from './Icon';

export function EmptyState({ icon, title, children }: { icon: IconName; title: string; children?: ReactNode }) {
    return (
        <div className="empty">
            <span className="empty-icon">
                <Icon name={icon} size={28} />
            </span>
            <p className="empty-title">{title}</p>
            {children && <div className="empty-body">{children}</div>}
        </div>
    );
}

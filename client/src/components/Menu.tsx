// Menu.tsx - further actions behind a button (Base UI's Menu).
import type { ReactElement, ReactNode } from 'react';
import { Menu as Base } from '@base-ui/react/menu';

export interface MenuAction {
    label: string;
    icon?: ReactNode;
    danger?: boolean;
    disabled?: boolean;
    onSelect: () => void;
}

interface MenuProps {
    /** The button that opens it. */
    trigger: ReactElement;
    actions: readonly MenuAction[];
}

export function Menu({ trigger, actions }: MenuProps) {
    return (
        <Base.Root modal={false}>
            <Base.Trigger render={trigger} />
            <Base.Portal>
                <Base.Positioner className="menu-positioner" align="end" sideOffset={4}>
                    <Base.Popup className="menu">
                        {actions.map(({ label, icon, danger, disabled, onSelect }) => (
                            <Base.Item key={label} className={`menu-item ${danger ? 'menu-danger' : ''}`} disabled={disabled} onClick={onSelect}>
                                {icon}{label}
                            </Base.Item>
                        ))}
                    </Base.Popup>
                </Base.Positioner>
            </Base.Portal>
        </Base.Root>
    );
}

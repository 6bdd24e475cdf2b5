// Menu.tsx - a menu button (Base UI's Popover and Toolbar) with arrow key navigation.
import { useRef, useState } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { Popover } from '@base-ui/react/popover';
import { Toolbar } from '@base-ui/react/toolbar';

export interface MenuAction {
    label: string;
    icon?: ReactNode;
    danger?: boolean;
    disabled?: boolean;
    onSelect: () => void;
}

interface MenuProps {
    /** Accessible name: the object of the actions. */
    label: string;
    /** The button that opens it. */
    trigger: ReactElement;
    actions: readonly MenuAction[];
}

export function Menu({ label, trigger, actions }: MenuProps) {
    const [open, setOpen] = useState(false);
    const chosen = useRef<(() => void) | null>(null);

    // Run the action after the focus is back on the button, so that a dialog it opens returns the focus there.
    function closed(): void {
        const run = chosen.current;

        chosen.current = null;
        run?.();
    }

    return (
        <Popover.Root
            open={open}
            onOpenChange={(isOpen) => setOpen(isOpen)}
            onOpenChangeComplete={(isOpen) => !isOpen && closed()}
        >
            <Popover.Trigger render={trigger} />
            <Popover.Portal>
                <Popover.Positioner className="menu-positioner" align="end" sideOffset={4}>
                    <Popover.Popup className="menu" aria-label={label}>
                        <Toolbar.Root orientation="vertical" aria-label={label} className="menu-actions">
                            {actions.map(({ label: name, icon, danger, disabled, onSelect }) => (
                                <Toolbar.Button
                                    key={name}
                                    className={`menu-item ${danger ? 'menu-danger' : ''}`}
                                    disabled={disabled}
                                    onClick={() => {
                                        chosen.current = onSelect;
                                        setOpen(false);
                                    }}
                                >
                                    {icon}
                                    {name}
                                </Toolbar.Button>
                            ))}
                        </Toolbar.Root>
                    </Popover.Popup>
                </Popover.Positioner>
            </Popover.Portal>
        </Popover.Root>
    );
}

// Dialog.tsx - a modal dialog (Base UI). Load its users on demand, not with the page.
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Dialog as Base } from '@base-ui/react/dialog';
import { IconButton } from './Button';
import { Icon } from './Icon';
import { placeOfFocus } from './useKeepFocus';

interface DialogProps {
    open: boolean;
    title: string;
    description?: ReactNode;
    /** Whether Escape, an outside click and the close button close it. */
    dismissible?: boolean;
    /** An outside click does not close it, because it holds user input. */
    guarded?: boolean;
    size?: 'small' | 'large' | 'full';
    onClose?: () => void;
    children: ReactNode;
}

export function Dialog({
    open,
    title,
    description,
    dismissible = true,
    guarded = false,
    size = 'small',
    onClose,
    children,
}: DialogProps) {
    // Record the focused element before a field with autofocus takes the focus.
    const [before] = useState(placeOfFocus);

    return (
        <Base.Root
            open={open}
            disablePointerDismissal={guarded || !dismissible}
            onOpenChange={(isOpen) => !isOpen && dismissible && onClose?.()}
        >
            <Base.Portal>
                <Base.Backdrop className="backdrop" />
                <Base.Popup className={`dialog dialog-${size}`} finalFocus={before}>
                    <div className="dialog-header">
                        <Base.Title className="dialog-title">{title}</Base.Title>
                        {dismissible && (
                            <Base.Close
                                render={
                                    <IconButton label="Close" icon={<Icon name="close" />} className="dialog-close" />
                                }
                            />
                        )}
                    </div>
                    {description && <Base.Description className="dialog-description">{description}</Base.Description>}
                    {children}
                </Base.Popup>
            </Base.Portal>
        </Base.Root>
    );
}

// Dialog.tsx - a modal dialog (Base UI's) in our looks. Load what uses it when it is opened, not with the page.
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
    /** Whether Escape, a click beside it, and a cross close it. */
    dismissible?: boolean;
    /** A click beside it closes it not: there is something typed in it. */
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
    // Where the focus was: a field that takes it at once would hide that from the dialog.
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

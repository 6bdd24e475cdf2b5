// OverlayHost.tsx - renders toasts and confirmations (Base UI's Toast and AlertDialog).
import { useEffect, useState } from 'react';
import { AlertDialog } from '@base-ui/react/alert-dialog';
import { Toast } from '@base-ui/react/toast';
import { Button, IconButton } from './Button';
import { Icon } from './Icon';
import type { Notice, Question } from './notify';
import { placeOfFocus } from './useKeepFocus';

export interface OverlayHost {
    notify: (notice: Notice) => void;
    confirm: (question: Question) => Promise<boolean>;
}

const MILLISECONDS = 7000; // lifetime of a toast other than an error; paused on hover and focus
const icons = { success: 'check', info: 'info', error: 'warning' } as const;
const manager = Toast.createToastManager<Notice>();

function addToast(notice: Notice): void {
    const id = manager.add({
        title: notice.title,
        description: notice.detail,
        timeout: notice.tone === 'error' ? 0 : MILLISECONDS,
        data: notice,
        actionProps: notice.action && {
            children: notice.action.label,
            onClick: () => {
                manager.close(id);
                notice.action?.run();
            },
        },
    });
}

function ToastList() {
    const { toasts } = Toast.useToastManager<Notice>();

    return toasts.map((toast) => {
        const tone = toast.data?.tone ?? 'info';

        return (
            <Toast.Root
                key={toast.id}
                toast={toast}
                className={`toast toast-${tone}`}
                swipeDirection="right"
                role={tone === 'error' ? 'alert' : 'status'}
                aria-modal={undefined}
            >
                <Icon name={icons[tone]} />
                <Toast.Content className="toast-body">
                    <Toast.Title className="toast-title" render={<p />} />
                    <Toast.Description className="toast-detail" />
                    <Toast.Action className="button button-small toast-action" aria-hidden={false} />
                </Toast.Content>
                <Toast.Close
                    aria-hidden={false}
                    render={<IconButton label="Close" icon={<Icon name="close" size={18} />} size="small" />}
                />
            </Toast.Root>
        );
    });
}

interface Asked extends Question {
    answer: (yes: boolean) => void;
    before: () => HTMLElement | boolean; // element that gets the focus back
}

function Confirmation({
    asked,
    isOpen,
    onAnswer,
}: {
    asked: Asked;
    isOpen: boolean;
    onAnswer: (yes: boolean) => void;
}) {
    return (
        <AlertDialog.Root open={isOpen} onOpenChange={(open) => !open && onAnswer(false)}>
            <AlertDialog.Portal>
                <AlertDialog.Backdrop className="backdrop" />
                <AlertDialog.Popup className="dialog dialog-small" finalFocus={asked.before}>
                    <AlertDialog.Title className="dialog-title">{asked.title}</AlertDialog.Title>
                    <AlertDialog.Description className="dialog-description">{asked.body}</AlertDialog.Description>
                    <div className="dialog-actions">
                        <AlertDialog.Close render={<Button>Cancel</Button>} />
                        <Button tone={asked.danger ? 'danger' : 'primary'} onClick={() => onAnswer(true)}>
                            {asked.action}
                        </Button>
                    </div>
                </AlertDialog.Popup>
            </AlertDialog.Portal>
        </AlertDialog.Root>
    );
}

export default function OverlayHostView({ onReady }: { onReady: (host: OverlayHost) => void }) {
    const [asked, setAsked] = useState<Asked | null>(null);
    const [isOpen, setOpen] = useState(false);

    useEffect(() => {
        onReady({
            notify: addToast,
            confirm: (question) =>
                new Promise((answer) => {
                    setAsked({ ...question, answer, before: placeOfFocus() });
                    setOpen(true);
                }),
        });
    }, [onReady]);

    return (
        <Toast.Provider toastManager={manager} limit={4}>
            <Toast.Portal>
                <Toast.Viewport className="toasts">
                    <ToastList />
                </Toast.Viewport>
            </Toast.Portal>
            {asked && (
                <Confirmation
                    asked={asked}
                    isOpen={isOpen}
                    onAnswer={(yes) => {
                        setOpen(false);
                        asked.answer(yes);
                    }}
                />
            )}
        </Toast.Provider>
    );
}

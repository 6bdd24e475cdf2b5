// NewPhotoDialog.tsx - adds a photo to a user.
import { useEffect, useRef, useState } from 'react';
import type { FormEvent } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, isAborted, sentence, upload } from '../../../api/client';
import type { ReferenceImage } from '../../../api/types';
import { Button } from '../../../components/Button';
import { Dialog } from '../../../components/Dialog';
import { Field } from '../../../components/Field';
import { notify } from '../../../components/notify';
import { useAttempt } from '../../../components/useAttempt';
import { photoName, useLimits } from '../hooks/use-photos';
import { refreshRows } from '../hooks/use-rows';
import { TextField, UserField } from './fields';
import { SlotSelect } from './PhotoDialog';

type Faults = Readonly<Record<string, string>>;

function faultsOf(error: unknown): Faults {
    const found =
        error instanceof ApiError
            ? Object.entries(error.errors).map(([name, sentences]) => [name, sentences.join(' ')])
            : [];

    return found.length ? Object.fromEntries(found) : { form: sentence(error) };
}

export function NewPhotoDialog({ userId, onClose }: { userId: string | null; onClose: () => void }) {
    const client = useQueryClient();
    const { accept } = useLimits();
    const [user, setUser] = useState(userId);
    const [name, setName] = useState('');
    const [order, setOrder] = useState('');
    const [faults, setFaults] = useState<Faults>({});
    const [sent, setSent] = useState<number | null>(null);
    const attempt = useAttempt();
    const controller = useRef<AbortController | null>(null);
    const form = useRef<HTMLFormElement>(null);

    useEffect(() => () => controller.current?.abort(), []);

    async function submit(event: FormEvent): Promise<void> {
        const file = form.current?.querySelector<HTMLInputElement>('input[type=file]')?.files?.[0];
        const body = new FormData();

        event.preventDefault();
        if (sent !== null) {
            return;
        }
        if (!user) {
            setFaults({ user_id: 'Choose a user.' });
            return;
        }
        body.set('user_id', user);
        body.set('name', name);
        if (order) {
            body.set('order', order);
        }
        if (file) {
            body.set('image', file);
        }
        controller.current = new AbortController();
        setFaults({});
        setSent(0);
        try {
            const photo = await upload<ReferenceImage>('admin/reference-images/', {
                form: body,
                idempotencyKey: attempt.keyFor([user, name, order, file?.name, file?.size, file?.lastModified]),
                signal: controller.current.signal,
                onProgress: setSent,
            });

            void refreshRows(client, 'reference-images');
            notify({ tone: 'success', title: `${photoName(photo)} is in slot ${photo.order + 1}.` });
            onClose();
        } catch (error) {
            attempt.failed(error);
            setFaults(isAborted(error) ? {} : faultsOf(error));
        } finally {
            setSent(null);
        }
    }

    return (
        <Dialog open guarded title="Add a photo" onClose={onClose}>
            <form ref={form} className="stack" noValidate onSubmit={(event) => void submit(event)}>
                <UserField
                    label="User"
                    value={user}
                    onChange={setUser}
                    error={faults.user_id}
                    hint="Each user can have five photos."
                />
                <Field label="Picture" error={faults.image} hint="Without a picture, the slot stays reserved.">
                    {(props) => <input {...props} className="input admin-file" type="file" accept={accept} />}
                </Field>
                <TextField
                    label="Name"
                    maxLength={255}
                    value={name}
                    error={faults.name}
                    onChange={setName}
                    hint="Optional."
                />
                <SlotSelect value={order} error={faults.order} onChange={setOrder} automatic="First free slot" />
                {faults.form && (
                    <p className="notice notice-error" role="alert">
                        {faults.form}
                    </p>
                )}
                <div className="dialog-actions">
                    <span className="hint admin-sent" role="status">
                        {sent === null ? '' : sent < 1 ? `Uploading ${Math.floor(sent * 100)} %` : 'Processing'}
                    </span>
                    <Button onClick={() => (sent === null ? onClose() : controller.current?.abort())}>
                        {sent === null ? 'Cancel' : 'Cancel upload'}
                    </Button>
                    <Button type="submit" tone="primary" busy={sent !== null}>
                        Add photo
                    </Button>
                </div>
            </form>
        </Dialog>
    );
}

// PhotoDialog.tsx - a photo's name, and the slot it is in.
import { keys } from '../../../api/queryKeys';
import type { ReferenceImage } from '../../../api/types';
import { Field } from '../../../components/Field';
import { PictureImage } from '../../../components/PictureImage';
import { Select } from '../../../components/Select';
import { photoName } from '../hooks/use-photos';
import { useRowForm } from '../hooks/use-row-form';
import type { FormSpec, RowForm, Value, Values } from '../hooks/use-row-form';
import { TextField } from './fields';
import { RowDialog } from './RowDialog';

interface PhotoValues extends Values {
    name: string;
    order: string;
}

const spec: FormSpec<'reference-images', PhotoValues> = {
    kind: 'reference-images',
    noun: 'photo',
    empty: { name: '', order: '0' },
    fromRow: (row) => ({ name: row.name, order: String(row.order) }),
    toJson: (name, value) => (name === 'order' ? Number(value) : value),
    // A photo that is in the slot already takes this one's place.
    query: { swap: true },
};
const names = { name: { label: 'Name' }, order: { label: 'Slot', show: (value: Value) => `${Number(value) + 1}` } };
const slots = [0, 1, 2, 3, 4];

export function SlotSelect({
    value,
    onChange,
    error,
    automatic,
}: {
    value: string;
    onChange: (value: string) => void;
    error?: string;
    automatic?: string;
}) {
    return (
        <Field
            label="Slot"
            error={error}
            hint={automatic ? undefined : "A photo in that slot moves to this photo's slot."}
        >
            {(props) => (
                <Select {...props} value={value} onChange={(event) => onChange(event.target.value)}>
                    {automatic && <option value="">{automatic}</option>}
                    {slots.map((slot) => (
                        <option key={slot} value={slot}>
                            {slot + 1}
                        </option>
                    ))}
                </Select>
            )}
        </Field>
    );
}

export function PhotoDialog({ photo, onClose }: { photo: ReferenceImage; onClose: () => void }) {
    const form = useRowForm(spec, photo.id, onClose);
    const { values, set, faults } = form;

    return (
        <RowDialog
            title={`Edit “${photoName(photo)}”`}
            noun="photo"
            form={form as RowForm}
            names={names}
            save="Save"
            onClose={onClose}
            onChoose={(name, value) => set(name, value as string)}
        >
            {photo.image && (
                <PictureImage
                    src={photo.image.medium}
                    alt={photoName(photo)}
                    stale={keys.referenceImagesOf(photo.user)}
                    className="admin-dialog-picture"
                />
            )}
            <TextField
                label="Name"
                autoFocus
                maxLength={255}
                value={values.name}
                error={faults.name}
                onChange={(value) => set('name', value)}
                hint="Optional."
            />
            <SlotSelect value={values.order} error={faults.order} onChange={(value) => set('order', value)} />
        </RowDialog>
    );
}

// PasswordDialog.tsx - gives a user a new password.
import type { Account } from '../../../api/admin';
import { useRowForm } from '../hooks/use-row-form';
import type { FormSpec, RowForm, Values } from '../hooks/use-row-form';
import { PasswordField } from './fields';
import { RowDialog } from './RowDialog';

interface PasswordValues extends Values {
    password: string;
}

// The email is no field here; but whose password it is must not change unseen.
const spec: FormSpec<'users', PasswordValues> = {
    kind: 'users',
    noun: 'user',
    required: ['password'],
    empty: { password: '' },
    fromRow: () => ({ password: '' }),
};
const names = { password: { label: 'Password' } };

export function PasswordDialog({
    user,
    onClose,
    onSaved,
}: {
    user: Account;
    onClose: () => void;
    onSaved: (user: Account) => void;
}) {
    const form = useRowForm(spec, user.id, onSaved);

    return (
        <RowDialog
            title={`Set password for ${user.email}`}
            description="Ends all sessions and API tokens of this user."
            noun="user"
            form={form as RowForm}
            names={names}
            save="Set password"
            onClose={onClose}
            onChoose={() => undefined}
        >
            <PasswordField
                label="New password"
                autoFocus
                value={form.values.password}
                error={form.faults.password}
                onChange={(value) => form.set('password', value)}
                hint="At least 8 characters, at most 72 bytes."
            />
        </RowDialog>
    );
}

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
            title={`Set a password for ${user.email}`}
            description="Whoever is logged in as this user has to log in again, and tokens of programs end."
            noun="user"
            form={form as RowForm}
            names={names}
            save="Set the password"
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

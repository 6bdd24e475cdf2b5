// UserDialog.tsx - makes a user, or changes one.
import type { Account } from '../../../api/admin';
import { useRowForm } from '../hooks/use-row-form';
import type { FormSpec, RowForm, Value, Values } from '../hooks/use-row-form';
import { PasswordField, TextField, TickField } from './fields';
import { RowDialog } from './RowDialog';

interface UserDialogProps {
    user: Account | null;
    isMe: boolean;
    onClose: () => void;
    onSaved: (user: Account) => void;
}

interface UserValues extends Values {
    email: string;
    first_name: string;
    last_name: string;
    password: string;
    is_staff: boolean;
    is_active: boolean;
}

const spec: FormSpec<'users', UserValues> = {
    kind: 'users',
    noun: 'user',
    required: ['email'],
    empty: { email: '', first_name: '', last_name: '', password: '', is_staff: false, is_active: true },
    fromRow: ({ email, first_name, last_name, is_staff, is_active }) => ({
        email,
        first_name,
        last_name,
        password: '',
        is_staff,
        is_active,
    }),
};
const names = {
    email: { label: 'Email' },
    first_name: { label: 'First name' },
    last_name: { label: 'Last name' },
    is_staff: { label: 'Staff' },
    is_active: { label: 'Active' },
};

export function UserDialog({ user, isMe, onClose, onSaved }: UserDialogProps) {
    const form = useRowForm(spec, user?.id ?? null, onSaved);
    const { values, set, faults } = form;

    return (
        <RowDialog
            title={user ? `Edit ${user.email}` : 'New user'}
            noun="user"
            form={form as RowForm}
            names={names}
            save={user ? 'Save' : 'Create user'}
            onClose={onClose}
            onChoose={(name, value) => set(name, value as Value & (string & boolean))}
        >
            <TextField
                label="Email"
                type="email"
                autoComplete="off"
                autoFocus
                maxLength={254}
                value={values.email}
                error={faults.email}
                onChange={(value) => set('email', value)}
            />
            <div className="form-row">
                <TextField
                    label="First name"
                    autoComplete="off"
                    maxLength={150}
                    value={values.first_name}
                    error={faults.first_name}
                    onChange={(value) => set('first_name', value)}
                />
                <TextField
                    label="Last name"
                    autoComplete="off"
                    maxLength={150}
                    value={values.last_name}
                    error={faults.last_name}
                    onChange={(value) => set('last_name', value)}
                />
            </div>
            {!user && (
                <PasswordField
                    label="Password"
                    value={values.password}
                    error={faults.password}
                    onChange={(value) => set('password', value)}
                    hint="At least 8 characters. Without a password, the user can't log in with one."
                />
            )}
            <TickField
                label="Active"
                checked={values.is_active}
                error={faults.is_active}
                onChange={(checked) => set('is_active', checked)}
                hint={
                    isMe
                        ? "You can't deactivate your own account."
                        : "If off, the user can't sign in. Nothing is deleted."
                }
            />
            <TickField
                label="Staff"
                checked={values.is_staff}
                error={faults.is_staff}
                onChange={(checked) => set('is_staff', checked)}
                hint="Can use these pages and see the photos of all users."
            />
        </RowDialog>
    );
}

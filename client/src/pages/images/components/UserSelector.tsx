// UserSelector.tsx - picker for the user: the current user or a test user.
import { Picker } from '../../../components/Picker';
import type { AvailableUser } from '../../../api/types';

interface UserSelectorProps {
    users: readonly AvailableUser[];
    value: string | null;
    onChange: (id: string) => void;
    isLoading: boolean;
}

function kindOf(user: AvailableUser): string {
    return user.is_current_user ? 'You' : 'Test user';
}

export function UserSelector({ users, value, onChange, isLoading }: UserSelectorProps) {
    return (
        <Picker
            label="User"
            value={value}
            onChange={onChange}
            disabled={isLoading}
            placeholder={isLoading ? 'Loading' : 'Choose a user'}
            nothing="No matching user."
            items={users.map((user) => ({
                value: user.id,
                label: user.name,
                detail: `${kindOf(user)} · ${user.email}`,
            }))}
        />
    );
}

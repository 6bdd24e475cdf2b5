// pickers.tsx - pickers for users and identities.
import type { ReactNode } from 'react';
import { listRows } from '../api/admin';
import type { Account } from '../api/admin';
import { keys } from '../api/queryKeys';
import type { Identity } from '../api/types';
import type { PickerItem } from './Picker';
import { SearchPicker } from './SearchPicker';

const SHOWN = '20'; // rows of a search

interface Props {
    label: string;
    chosen: PickerItem | null;
    onChange: (item: PickerItem | null) => void;
    none?: string;
    placeholder?: string;
    error?: ReactNode;
    hint?: ReactNode;
}

export function userItem(user: Account): PickerItem {
    const name = `${user.first_name} ${user.last_name}`.trim();

    return { value: user.id, label: user.email, detail: name || undefined };
}

export function identityItem(identity: Identity): PickerItem {
    return {
        value: identity.id,
        label: identity.name,
        detail: identity.i_am_statement?.trim() || identity.category.replaceAll('_', ' '),
    };
}

export function UserPicker({ placeholder = 'Choose a user', ...rest }: Props) {
    return (
        <SearchPicker
            {...rest}
            placeholder={placeholder}
            queryKey={[...keys.adminRows('users'), 'search']}
            search={async (words, signal) =>
                (await listRows('users', { search: words, limit: SHOWN }, null, signal)).results.map(userItem)
            }
        />
    );
}

export function IdentityPicker({ placeholder = 'Choose an identity', ...rest }: Props) {
    return (
        <SearchPicker
            {...rest}
            placeholder={placeholder}
            queryKey={[...keys.adminRows('identities'), 'search']}
            search={async (words, signal) =>
                (await listRows('identities', { search: words, limit: SHOWN }, null, signal)).results.map(identityItem)
            }
        />
    );
}

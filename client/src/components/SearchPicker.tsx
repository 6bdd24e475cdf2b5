// SearchPicker.tsx - a select with server-side search (Base UI's Combobox).
import { useId, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { Combobox } from '@base-ui/react/combobox';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { QueryKey } from '@tanstack/react-query';
import { sentence } from '../api/client';
import { Icon } from './Icon';
import { isTyping, PickerValue } from './Picker';
import { PickerFrame } from './PickerFrame';
import type { PickerItem } from './Picker';
import { useDebounced } from './useDebounced';

const REST = 250; // debounce in milliseconds before the server is asked

interface SearchPickerProps {
    label: string;
    /** The selected item as displayed; null: none. */
    chosen: PickerItem | null;
    onChange: (item: PickerItem | null) => void;
    /** Cache key of a search; the words are appended. */
    queryKey: QueryKey;
    search: (words: string, signal: AbortSignal) => Promise<PickerItem[]>;
    placeholder: string;
    /** Label of the empty choice. Without it, a choice is required. */
    none?: string;
    error?: ReactNode;
    hint?: ReactNode;
}

const NOTHING = '';

export function SearchPicker({
    label,
    chosen,
    onChange,
    queryKey,
    search,
    placeholder,
    none,
    error,
    hint,
}: SearchPickerProps) {
    const id = useId();
    const [open, setOpen] = useState(false);
    const [typed, setTyped] = useState('');
    const words = useDebounced(typed.trim(), REST);
    const found = useQuery({
        queryKey: [...queryKey, words],
        queryFn: ({ signal }) => search(words, signal),
        enabled: open,
        placeholderData: keepPreviousData,
    });
    const items = useMemo(() => {
        const first = none && !typed.trim() ? [{ value: NOTHING, label: none }] : [];

        return [...first, ...(found.data ?? [])];
    }, [found.data, none, typed]);
    // The list does not match the search words yet.
    const isOld = typed.trim() !== words || found.isPlaceholderData || found.isPending;
    const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');

    return (
        <div className="field picker">
            <span className="label" id={`${id}-label`}>
                {label}
            </span>
            <Combobox.Root
                items={items}
                value={chosen}
                open={open}
                inputValue={typed}
                filter={null}
                autoHighlight
                isItemEqualToValue={(one: PickerItem, other: PickerItem) => one.value === other.value}
                onValueChange={(item: PickerItem | null) => item && onChange(item.value === NOTHING ? null : item)}
                onInputValueChange={setTyped}
                onOpenChange={(isOpen) => {
                    setTyped('');
                    setOpen(isOpen);
                }}
            >
                <Combobox.Trigger
                    className="input picker-button"
                    aria-labelledby={`${id}-label ${id}-value`}
                    aria-describedby={described || undefined}
                    aria-invalid={error ? true : undefined}
                    onKeyDown={(event) => {
                        if (!open && isTyping(event)) {
                            event.preventDefault();
                            setTyped(event.key);
                            setOpen(true);
                        }
                    }}
                >
                    <span id={`${id}-value`} className="picker-whole">
                        <PickerValue item={chosen ?? undefined} placeholder={none ?? placeholder} />
                    </span>
                </Combobox.Trigger>
                <PickerFrame
                    label={label}
                    isOld={isOld}
                    nothing={found.isSuccess && !isOld ? 'No results.' : null}
                    status={found.error ? sentence(found.error) : found.isPending && 'Searching…'}
                    onSearchKey={(event) => {
                        if (event.key === 'Enter' && isOld && typed.trim()) {
                            event.preventDefault();
                            event.preventBaseUIHandler();
                        }
                    }}
                />
            </Combobox.Root>
            {hint && (
                <p className="hint" id={`${id}-hint`}>
                    {hint}
                </p>
            )}
            {error && (
                <p className="field-error" id={`${id}-error`}>
                    <Icon name="warning" size={16} />
                    {error}
                </p>
            )}
        </div>
    );
}

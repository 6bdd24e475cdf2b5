// PickerPopup.tsx - an open picker: Base UI's Combobox with the search field in its popup.
import { useLayoutEffect, useRef, useState } from 'react';
import { Combobox } from '@base-ui/react/combobox';
import { isTyping, PickerValue } from './Picker';
import { PickerFrame } from './PickerFrame';
import type { SearchKeyEvent } from './PickerFrame';
import type { PickerItem, PickerProps } from './Picker';

export interface PickerPopupProps extends PickerProps {
    labelId: string;
    /** Set if it was opened before its code was loaded, with the typed character, if any. */
    opening: { typed: string } | null;
    /** The replaced button had the focus. */
    hadFocus: boolean;
}

function matches(item: PickerItem, query: string): boolean {
    const text = `${item.label} ${item.detail ?? ''} ${item.words ?? ''}`.toLocaleLowerCase();

    return query
        .toLocaleLowerCase()
        .split(/\s+/)
        .every((word) => text.includes(word));
}

export default function PickerPopup({
    labelId,
    label,
    items,
    value,
    onChange,
    placeholder,
    nothing = 'No results.',
    disabled,
    opening,
    hadFocus,
}: PickerPopupProps) {
    const [open, setOpen] = useState(false);
    const [typed, setTyped] = useState(opening?.typed ?? '');
    const trigger = useRef<HTMLButtonElement>(null);
    const chosen = items.find((item) => item.value === value);
    const first = useRef({ opening, hadFocus });
    const highlighted = useRef<PickerItem | undefined>(undefined);

    // Text typed before the search was loaded highlights nothing. Enter selects the first match.
    function onEnter(event: SearchKeyEvent): void {
        const best =
            event.key === 'Enter' && typed && !highlighted.current
                ? items.find((item) => matches(item, typed))
                : undefined;

        if (best) {
            event.preventDefault();
            event.preventBaseUIHandler();
            onChange(best.value);
            setTyped('');
            setOpen(false);
        }
    }

    useLayoutEffect(() => {
        if (first.current.hadFocus) {
            trigger.current?.focus();
        }
        if (first.current.opening) {
            setOpen(true);
        }
    }, []);

    return (
        <Combobox.Root
            items={items as PickerItem[]}
            value={chosen ?? null}
            disabled={disabled}
            open={open}
            inputValue={typed}
            autoHighlight
            isItemEqualToValue={(one: PickerItem, other: PickerItem) => one.value === other.value}
            filter={(item: PickerItem, query: string) => matches(item, query)}
            onValueChange={(item: PickerItem | null) => item && onChange(item.value)}
            onItemHighlighted={(item: PickerItem | undefined) => {
                highlighted.current = item;
            }}
            onInputValueChange={(text) => setTyped(text)}
            onOpenChange={(isOpen) => {
                setTyped('');
                setOpen(isOpen);
            }}
        >
            <Combobox.Trigger
                ref={trigger}
                className="input picker-button"
                aria-labelledby={labelId}
                onKeyDown={(event) => {
                    // Includes text typed before the search field has the focus.
                    if (isTyping(event)) {
                        event.preventDefault();
                        setTyped((before) => (open ? before : '') + event.key);
                        setOpen(true);
                    }
                }}
            >
                <PickerValue item={chosen} placeholder={placeholder} />
            </Combobox.Trigger>
            <PickerFrame label={label} nothing={nothing} onSearchKey={onEnter} />
        </Combobox.Root>
    );
}

// PickerPopup.tsx - a picker that can open: Base UI's Combobox with its search inside what opens.
import { useLayoutEffect, useRef, useState } from 'react';
import { Combobox } from '@base-ui/react/combobox';
import { isTyping, PickerValue } from './Picker';
import { PickerFrame } from './PickerFrame';
import type { SearchKeyEvent } from './PickerFrame';
import type { PickerItem, PickerProps } from './Picker';

export interface PickerPopupProps extends PickerProps {
    labelId: string;
    /** It was asked to open before it was there; with a letter, if that was typed. */
    opening: { typed: string } | null;
    /** The button in whose place it comes had the focus. */
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
    nothing = 'Nothing fits.',
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

    // What was typed before the search was there has highlighted nothing: Enter means the first that fits.
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
                    // Also what is typed before the search has the focus.
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

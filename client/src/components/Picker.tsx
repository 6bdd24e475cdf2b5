// Picker.tsx - a searchable select.
//
// PickerPopup (Base UI's Combobox) is half as large as the page. It is loaded on hover or focus, and then
// replaces the closed picker.
import { useEffect, useId, useRef, useState } from 'react';
import type { ComponentType, KeyboardEvent, ReactNode } from 'react';
import { Icon } from './Icon';
import type { PickerPopupProps } from './PickerPopup';

export interface PickerItem {
    value: string;
    label: string;
    /** A second, quieter line. */
    detail?: string;
    /** Additional search terms. */
    words?: string;
}

export interface PickerProps {
    label: string;
    items: readonly PickerItem[];
    value: string | null;
    onChange: (value: string) => void;
    placeholder: string;
    /** Message for a search without results. */
    nothing?: string;
    hint?: ReactNode;
    disabled?: boolean;
}

let loaded: ComponentType<PickerPopupProps> | null = null;
let loading: Promise<void> | null = null;

function load(): Promise<void> {
    loading ??= import('./PickerPopup').then(
        (module) => {
            loaded = module.default;
        },
        () => {
            loading = null;
        },
    );
    return loading;
}

/** Whether a key enters a character. */
export function isTyping(event: KeyboardEvent): boolean {
    return event.key.length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey && !event.altKey;
}

/** Content of the closed picker. */
export function PickerValue({ item, placeholder }: { item: PickerItem | undefined; placeholder: string }) {
    return (
        <>
            {item ? (
                <span className="picker-value">
                    {item.label}
                    {item.detail && <span className="picker-detail">{item.detail}</span>}
                </span>
            ) : (
                <span className="picker-placeholder">{placeholder}</span>
            )}
            <Icon name="down" size={18} />
        </>
    );
}

export function Picker(props: PickerProps) {
    const { label, items, value, placeholder, hint, disabled } = props;
    const id = useId();
    const button = useRef<HTMLButtonElement>(null);
    const [Popup, setPopup] = useState(() => loaded);
    const opening = useRef<{ typed: string } | null>(null);
    const hadFocus = useRef(false);
    const isPressed = useRef(false);

    function swap(): void {
        hadFocus.current = document.activeElement === button.current;
        setPopup(() => loaded);
    }

    // Do not swap the button between mouse down and mouse up, or the click is lost.
    function prepare(): void {
        void load().then(() => {
            if (!isPressed.current) {
                swap();
            }
        });
    }

    function release(): void {
        setTimeout(() => {
            isPressed.current = false;
            if (loaded) {
                swap();
            }
        }, 60);
    }

    // Keep characters that are typed while the popup loads.
    function open(typed: string): void {
        opening.current = { typed: (opening.current?.typed ?? '') + typed };
        isPressed.current = false;
        prepare();
    }

    // Another picker may have loaded it in the meantime.
    useEffect(() => {
        if (loaded && !Popup && !isPressed.current) {
            swap();
        }
    });

    return (
        <div className="field picker">
            <span className="label" id={`${id}-label`}>
                {label}
            </span>
            {Popup ? (
                <Popup {...props} labelId={`${id}-label`} opening={opening.current} hadFocus={hadFocus.current} />
            ) : (
                <button
                    ref={button}
                    type="button"
                    role="combobox"
                    className="input picker-button"
                    disabled={disabled}
                    aria-labelledby={`${id}-label`}
                    aria-haspopup="listbox"
                    aria-expanded={false}
                    onPointerEnter={prepare}
                    onFocus={prepare}
                    onClick={() => open('')}
                    onPointerDown={() => {
                        isPressed.current = true;
                    }}
                    onPointerUp={release}
                    onPointerCancel={release}
                    onKeyDown={(event) => {
                        if (isTyping(event)) {
                            event.preventDefault();
                            open(event.key);
                        } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
                            event.preventDefault();
                            open('');
                        }
                    }}
                >
                    <PickerValue item={items.find((item) => item.value === value)} placeholder={placeholder} />
                </button>
            )}
            {hint && <div className="hint">{hint}</div>}
        </div>
    );
}

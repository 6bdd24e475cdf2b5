// PickerFrame.tsx - popup of a picker: search field, status and list.
import type { ComponentProps, ReactNode } from 'react';
import { Combobox } from '@base-ui/react/combobox';
import { Icon } from './Icon';
import { PickerOption } from './PickerOption';
import type { PickerItem } from './Picker';

export type SearchKeyEvent = Parameters<NonNullable<ComponentProps<typeof Combobox.Input>['onKeyDown']>>[0];

interface PickerFrameProps {
    label: string;
    /** Message instead of an empty list. */
    nothing: ReactNode;
    onSearchKey: (event: SearchKeyEvent) => void;
    /** Status of a server-side search. */
    status?: ReactNode;
    /** The list does not match the search words yet. */
    isOld?: boolean;
}

/** Within a Combobox.Root, beside its trigger. */
export function PickerFrame({ label, nothing, onSearchKey, status, isOld = false }: PickerFrameProps) {
    return (
        <Combobox.Portal>
            <Combobox.Positioner className="picker-positioner" align="start" sideOffset={4}>
                <Combobox.Popup className="picker-popup" aria-label={label}>
                    <div className="picker-search">
                        <Icon name="search" size={18} />
                        <Combobox.Input
                            className="picker-input"
                            placeholder="Type to search"
                            aria-label={`${label}: search`}
                            onKeyDown={onSearchKey}
                        />
                    </div>
                    {status !== undefined && <Combobox.Status className="picker-status">{status}</Combobox.Status>}
                    <Combobox.Empty className="picker-empty">{nothing}</Combobox.Empty>
                    <Combobox.List
                        className={isOld ? 'picker-list picker-old' : 'picker-list'}
                        aria-busy={isOld || undefined}
                    >
                        {(item: PickerItem) => <PickerOption key={item.value} item={item} />}
                    </Combobox.List>
                </Combobox.Popup>
            </Combobox.Positioner>
        </Combobox.Portal>
    );
}

// PickerOption.tsx - an option of a picker.
import { Combobox } from '@base-ui/react/combobox';
import { Icon } from './Icon';
import type { PickerItem } from './Picker';

export function PickerOption({ item }: { item: PickerItem }) {
    return (
        <Combobox.Item value={item} className="picker-item">
            <span className="picker-value">
                {item.label}
                {item.detail && <span className="picker-detail">{item.detail}</span>}
            </span>
            <Combobox.ItemIndicator className="picker-check">
                <Icon name="check" size={18} />
            </Combobox.ItemIndicator>
        </Combobox.Item>
    );
}

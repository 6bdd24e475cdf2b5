// Tabs.tsx - tabs (Base UI) with arrow key navigation.
import type { ReactNode } from 'react';
import { Tabs as Base } from '@base-ui/react/tabs';

export interface Tab {
    value: string;
    label: string;
}

interface TabsProps {
    /** Accessible name of the tab list. */
    label: string;
    tabs: readonly Tab[];
    value: string;
    onChange: (value: string) => void;
    small?: boolean;
    /** Panel of the selected tab. */
    children: ReactNode;
}

export function Tabs({ label, tabs, value, onChange, small = false, children }: TabsProps) {
    return (
        <Base.Root value={value} onValueChange={(chosen) => onChange(String(chosen))}>
            <Base.List className={`tabs ${small ? 'tabs-small' : ''}`} aria-label={label}>
                {tabs.map((tab) => (
                    <Base.Tab key={tab.value} value={tab.value} className="tab">
                        {tab.label}
                    </Base.Tab>
                ))}
            </Base.List>
            {tabs.map((tab) => (
                <Base.Panel key={tab.value} value={tab.value} className="tab-panel" tabIndex={-1}>
                    {tab.value === value && children}
                </Base.Panel>
            ))}
        </Base.Root>
    );
}

// ThemeSwitch.tsx - switches between system, light and dark theme; stored in the browser.
import { useSyncExternalStore } from 'react';
import { IconButton } from './Button';
import { Icon } from './Icon';
import { setTheme, subscribeTheme, theme } from './theme';

const next = { system: 'light', light: 'dark', dark: 'system' } as const;
const icons = { system: 'screen', light: 'sun', dark: 'moon' } as const;

export function ThemeSwitch() {
    const current = useSyncExternalStore(subscribeTheme, theme);

    return (
        <IconButton
            label={`Theme: ${current}. Change to ${next[current]}`}
            icon={<Icon name={icons[current]} />}
            onClick={() => setTheme(next[current])}
        />
    );
}

// theme.ts - the selected theme. public/theme.js applies it before the first paint.
export type Theme = 'system' | 'light' | 'dark';

const NAME = 'identityimg.theme';
const listeners = new Set<() => void>();

export function theme(): Theme {
    const chosen = document.documentElement.dataset.theme;

    return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
}

export function setTheme(chosen: Theme): void {
    apply(chosen);
    try {
        if (chosen === 'system') {
            localStorage.removeItem(NAME);
        } else {
            localStorage.setItem(NAME, chosen);
        }
    } catch {
        // Storage is unavailable: the choice lasts until the page is closed.
    }
}

function apply(chosen: Theme): void {
    if (chosen === 'system') {
        delete document.documentElement.dataset.theme;
    } else {
        document.documentElement.dataset.theme = chosen;
    }
    listeners.forEach((listener) => listener());
}

// Follow changes from other tabs.
addEventListener('storage', (event) => {
    if (event.key === NAME) {
        apply(event.newValue === 'light' || event.newValue === 'dark' ? event.newValue : 'system');
    }
});

export function subscribeTheme(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

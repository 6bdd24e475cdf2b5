// lastUser.ts - the last user of this browser: a hint, so that a page's first requests are sent
// together with the session check.
const NAME = 'identityimg.user';

export function lastUser(): string | null {
    try {
        return localStorage.getItem(NAME);
    } catch {
        return null;
    }
}

export function rememberUser(id: string | null): void {
    try {
        if (id) {
            localStorage.setItem(NAME, id);
        } else {
            localStorage.removeItem(NAME);
        }
    } catch {
        // Storage is unavailable: the first requests follow the session check.
    }
}

// lastUser.ts - who was logged in when this browser was here last: a hint, so that a page's first answers are asked for
// together with the question who is there.
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
        // Then the first answers come a little later.
    }
}

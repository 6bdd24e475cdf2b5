// base.ts - where these pages live, found out from where this script was loaded: below any path.
const script = import.meta.url;

/** The pages' own path, with a slash at the end: "/" or "/somewhere/". */
export const base = import.meta.env.DEV ? '/' : new URL('../', script).pathname;

// base.ts - the base path of these pages, derived from the address of this script.
const script = import.meta.url;

/** The pages' own path, with a slash at the end: "/" or "/somewhere/". */
export const base = import.meta.env.DEV ? '/' : new URL('../', script).pathname;

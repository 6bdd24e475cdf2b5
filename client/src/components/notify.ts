// notify.ts - toasts and confirmations. The code that renders them is loaded on first use.
import type { OverlayHost } from './OverlayHost';

export interface Notice {
    tone: 'success' | 'info' | 'error';
    title: string;
    detail?: string;
    action?: { label: string; run: () => void };
}

export interface Question {
    title: string;
    body: string;
    /** Label of the confirming button. */
    action: string;
    danger?: boolean;
}

type Host = Pick<OverlayHost, 'notify' | 'confirm'>;

let show: (() => Promise<Host>) | null = null;

/** Overlays sets how to load its host. */
export function provideOverlays(provide: typeof show): void {
    show = provide;
}

/** Shows a toast. Success and info disappear by themselves; an error stays until it is closed. */
export function notify(notice: Notice): void {
    void show?.().then((host) => host.notify(notice));
}

/** Asks for confirmation. Resolves to the user's decision. */
export async function confirm(question: Question): Promise<boolean> {
    return show ? (await show()).confirm(question) : false;
}

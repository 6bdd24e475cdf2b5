// notify.ts - toasts and questions from anywhere; what draws them is loaded when the first one comes.
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
    /** What the button that goes on says. */
    action: string;
    danger?: boolean;
}

type Host = Pick<OverlayHost, 'notify' | 'confirm'>;

let show: (() => Promise<Host>) | null = null;

/** Overlays says how its host is had. */
export function provideOverlays(provide: typeof show): void {
    show = provide;
}

/** A toast: success and info go by themselves, an error stays until it is closed. */
export function notify(notice: Notice): void {
    void show?.().then((host) => host.notify(notice));
}

/** Asks once; resolves to whether to go on. */
export async function confirm(question: Question): Promise<boolean> {
    return show ? (await show()).confirm(question) : false;
}

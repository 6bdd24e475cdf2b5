// Overlays.tsx - loads the code for toasts and confirmations: when the page is idle, or with the first
// of them.
import { lazy, Suspense, useEffect, useState } from 'react';
import type { OverlayHost } from './OverlayHost';
import { provideOverlays } from './notify';

const AFTER = 4000; // milliseconds; early enough that a toast about a lost connection needs no connection
const load = () => import('./OverlayHost');
const Host = lazy(load);

function promised<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
    let resolve!: (value: T) => void;
    const promise = new Promise<T>((done) => {
        resolve = done;
    });

    return { promise, resolve };
}

export function Overlays() {
    const [host] = useState(() => promised<OverlayHost>());
    const [wanted, setWanted] = useState(false);

    useEffect(() => {
        provideOverlays(() => {
            setWanted(true);
            return host.promise;
        });
        return () => provideOverlays(null);
    }, [host]);

    useEffect(() => {
        const timer = setTimeout(() => void load().catch(() => undefined), AFTER);

        return () => clearTimeout(timer);
    }, []);

    return (
        wanted && (
            <Suspense>
                <Host onReady={host.resolve} />
            </Suspense>
        )
    );
}

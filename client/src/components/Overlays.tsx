// Overlays.tsx - the place of toasts and questions. Their code comes when the page has long been there, or with the
// first of them.
import { lazy, Suspense, useEffect, useState } from 'react';
import type { OverlayHost } from './OverlayHost';
import { provideOverlays } from './notify';

const AFTER = 4000; // milliseconds: a toast that says that the connection broke must not need one
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

// Overlays.tsx - the place of toasts and questions. Their code is loaded at the first of them.
import { lazy, Suspense, useEffect, useState } from 'react';
import type { OverlayHost } from './OverlayHost';
import { provideOverlays } from './notify';

const Host = lazy(() => import('./OverlayHost'));

function promised<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
    let resolve!: (value: T) => void;
    const promise = new Promise<T>((done) => { resolve = done; });

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

    return wanted && <Suspense><Host onReady={host.resolve} /></Suspense>;
}

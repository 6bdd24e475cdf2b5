// OfflineNotice.tsx - notice while the browser is offline.
import { useSyncExternalStore } from 'react';
import { onlineManager } from '@tanstack/react-query';
import { Icon } from './Icon';

export function OfflineNotice() {
    const isOnline = useSyncExternalStore(
        (listener) => onlineManager.subscribe(listener),
        () => onlineManager.isOnline(),
    );

    return (
        <div role="status">
            {!isOnline && (
                <p className="offline">
                    <Icon name="warning" />
                    You are offline. Your text is kept, and the page continues when the connection is back.
                </p>
            )}
        </div>
    );
}

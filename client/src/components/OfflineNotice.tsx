// OfflineNotice.tsx - says while the machine has no network, and that nothing is lost by it.
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
                    You are offline. What you typed stays here; the page goes on when the connection is back.
                </p>
            )}
        </div>
    );
}

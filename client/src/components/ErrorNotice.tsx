// ErrorNotice.tsx - reason for a failed load, with a retry button.
import { ApiError, sentence } from '../api/client';
import { Button } from './Button';
import { Icon } from './Icon';

interface ErrorNoticeProps {
    error: unknown;
    title?: string;
    onRetry?: () => void;
}

export function ErrorNotice({ error, title = "Couldn't load this.", onRetry }: ErrorNoticeProps) {
    const requestId = error instanceof ApiError && error.status >= 500 ? error.requestId : null;

    return (
        <div className="notice notice-error" role="alert">
            <Icon name="warning" />
            <div className="notice-body">
                <p className="notice-title">{title}</p>
                <p>{sentence(error)}</p>
                {requestId && (
                    <p className="hint">
                        Request <code>{requestId}</code> in the server's log.
                    </p>
                )}
            </div>
            {onRetry && (
                <Button size="small" onClick={onRetry}>
                    Try again
                </Button>
            )}
        </div>
    );
}

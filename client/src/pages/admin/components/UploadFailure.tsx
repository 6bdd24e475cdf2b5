// UploadFailure.tsx - why a picture did not come into its slot, for as long as one wants, and what to do about it.
import { Button } from '../../../components/Button';
import { cancelUpload, retryUpload, startUpload } from '../../images/uploads';
import type { Upload } from '../../images/uploads';
import { useLimits } from '../hooks/use-photos';

export function UploadFailure({ upload }: { upload: Upload }) {
    const { order, userId, error, file, imageId } = upload;
    const { maxUpload } = useLimits();
    const name = `Photo ${order + 1}`;
    const wasChanged = error?.status === 412;
    const close = () => cancelUpload(userId, order);

    return (
        <div className="notice notice-error admin-slot-notice" role="alert">
            <p className="notice-body">
                {name}:{' '}
                {wasChanged
                    ? 'Another user changed this photo. The page shows its current state. Your picture was not saved.'
                    : error?.detail}
            </p>
            {wasChanged ? (
                <div className="row">
                    <Button size="small" onClick={() => startUpload({ userId, order, file, imageId, maxUpload })}>
                        Replace anyway
                    </Button>
                    <Button size="small" tone="quiet" onClick={close}>
                        Keep current photo
                    </Button>
                </div>
            ) : (
                <div className="row">
                    <Button size="small" aria-label={`${name}: try again`} onClick={() => retryUpload(userId, order)}>
                        Try again
                    </Button>
                    <Button size="small" tone="quiet" aria-label={`${name}: close`} onClick={close}>
                        Close
                    </Button>
                </div>
            )}
        </div>
    );
}

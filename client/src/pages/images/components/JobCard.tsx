// JobCard.tsx - state of a generation, from queued to finished.
import { useEffect, useRef } from 'react';
import type { GenerationJob, GenerationOptions, GenerationRequest, ReferenceImage } from '../../../api/types';
import { Button, IconButton } from '../../../components/Button';
import { Icon, Spinner } from '../../../components/Icon';
import { useKeepFocus } from '../../../components/useKeepFocus';
import { useSeconds } from '../../../components/useSeconds';
import { useCancelJob, useIdentity } from '../hooks/use-image-generation';
import { billed, duration, failure, isActive, nameOf, secondsOf, stateWords } from '../jobs';
import { GeneratedImageDisplay } from './GeneratedImageDisplay';

interface JobCardProps {
    job: GenerationJob;
    photos: readonly ReferenceImage[];
    options: GenerationOptions | undefined;
    onUseAgain: (job: GenerationJob) => void;
    onRegenerate: (wanted: GenerationRequest) => Promise<void>;
    /** Removes the card. The history keeps the job. */
    onClose: () => void;
}

/** The request of a job. */
function requestOf(
    job: GenerationJob,
    photos: readonly ReferenceImage[],
    options: GenerationOptions | undefined,
): GenerationRequest | null {
    // Use the default model if the job's model is no longer available.
    const model = options?.models.some((one) => one.value === job.model) ? job.model : undefined;
    const there = job.reference_image_ids.filter((id) => photos.some((photo) => photo.id === id && photo.image));
    // The photos of another user are unknown here; the server validates them.
    const known = photos.length > 0 && photos[0]!.user === job.user;

    return job.identity && job.user
        ? {
              identity_id: job.identity,
              user_id: job.user,
              additional_prompt: job.additional_prompt,
              save_to_identity: false,
              aspect_ratio: job.aspect_ratio,
              resolution: job.resolution,
              model,
              reference_image_ids: known ? (there.length ? there : null) : job.reference_image_ids,
          }
        : null;
}

function Progress({ job, options }: { job: GenerationJob; options: GenerationOptions | undefined }) {
    const cancel = useCancelJob();
    const offer =
        options?.models.find((one) => one.value === job.model) ?? options?.models.find((one) => one.is_default);
    const usual = offer?.resolutions.find((one) => one.value === job.resolution)?.median_seconds ?? null;
    const bar = useRef<HTMLSpanElement>(null);

    useSeconds();
    const seconds = secondsOf(job);

    useEffect(() => {
        // An estimate: the bar approaches the end without reaching it.
        const share = job.state === 'running' && usual ? 1 - Math.exp((-1.6 * seconds) / usual) : 0;

        bar.current?.style.setProperty('--done', `${Math.round(share * 100)}%`);
    });
    return (
        <div className="job-progress">
            <p className="job-words">
                <Spinner />
                <span>{stateWords(job)}</span>
                <span className="job-seconds" aria-hidden="true">
                    {duration(seconds)}
                </span>
                {usual !== null && usual >= 1 && <span className="muted">usually {duration(usual)}</span>}
            </p>
            <span
                className={`job-bar ${job.state === 'running' && usual ? '' : 'job-bar-open'}`}
                ref={bar}
                aria-hidden="true"
            />
            {job.cancel_requested ? (
                <p className="hint">
                    If the image provider has already started, its picture is kept with this generation.
                </p>
            ) : (
                <p className="hint">You can leave this page. Generation continues in the background.</p>
            )}
            <Button
                size="small"
                busy={cancel.isPending}
                aria-disabled={job.cancel_requested || undefined}
                className="job-cancel"
                onClick={() => !job.cancel_requested && cancel.mutate(job.id)}
            >
                Cancel
            </Button>
        </div>
    );
}

function Failed({ job, onRetry }: { job: GenerationJob; onRetry: (() => void) | null }) {
    const error = job.error;
    const { title, advice } = failure(error?.code ?? '');

    return (
        <div className="notice notice-error" role="alert">
            <Icon name="warning" />
            <div className="notice-body">
                <p className="notice-title">{title}</p>
                {error && <p>{error.detail}</p>}
                <p>
                    {/\bbilled\b/.test(error?.detail ?? '') ? '' : `${billed(error?.billed ?? null)} `}
                    {advice}
                </p>
            </div>
            {onRetry && (
                <Button size="small" onClick={onRetry}>
                    Try again
                </Button>
            )}
        </div>
    );
}

export function JobCard({ job, photos, options, onUseAgain, onRegenerate, onClose }: JobCardProps) {
    const identity = useIdentity(job.identity);
    const card = useKeepFocus<HTMLElement>(isActive(job));
    const again = requestOf(job, photos, options);
    const regenerate = again ? () => void onRegenerate(again) : null;
    const name = nameOf(job);

    return (
        <article ref={card} className="card job" aria-label={`Picture of ${name}`} data-job={job.id}>
            <div className="job-header">
                <h3>{name}</h3>
                {!isActive(job) && (
                    <span className={`badge badge-${job.state}`}>
                        {stateWords(job)}
                        {job.state === 'succeeded' && ` in ${duration(Math.max(1, secondsOf(job)))}`}
                    </span>
                )}
                {!isActive(job) && (
                    <IconButton
                        size="small"
                        className="job-close"
                        label={`Remove ${name} from this list`}
                        icon={<Icon name="close" size={18} />}
                        onClick={onClose}
                    />
                )}
            </div>
            {isActive(job) && <Progress job={job} options={options} />}
            {job.state === 'failed' && <Failed job={job} onRetry={regenerate} />}
            {job.state === 'canceled' && !job.image_url && (
                <p className="notice" role="status">
                    <Icon name="info" />
                    <span className="notice-body">
                        This generation was canceled
                        {job.attempts ? ' after it had started.' : ' before it started. It was not billed.'}
                    </span>
                </p>
            )}
            {job.image_url && !isActive(job) && (
                <GeneratedImageDisplay
                    job={job}
                    identity={identity.data}
                    photos={photos}
                    onRegenerate={regenerate}
                    onUseAgain={() => onUseAgain(job)}
                />
            )}
            {!job.image_url && !isActive(job) && (
                <div className="job-actions">
                    <Button
                        size="small"
                        tone="quiet"
                        icon={<Icon name="undo" size={16} />}
                        onClick={() => onUseAgain(job)}
                    >
                        Use these settings
                    </Button>
                </div>
            )}
        </article>
    );
}

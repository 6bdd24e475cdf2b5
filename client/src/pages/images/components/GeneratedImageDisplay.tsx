// GeneratedImageDisplay.tsx - a generated picture: view, compare, save to its identity, download, regenerate.
import { lazy, Suspense, useId, useState } from 'react';
import { keys } from '../../../api/queryKeys';
import type { GenerationJob, Identity, ReferenceImage } from '../../../api/types';
import { Button } from '../../../components/Button';
import { Icon } from '../../../components/Icon';
import { PictureImage } from '../../../components/PictureImage';
import { useKeepFocus } from '../../../components/useKeepFocus';
import { useSaveToIdentity } from '../hooks/use-image-generation';
import { dollars, duration, isSaved, photosOf, secondsOf } from '../jobs';

const ZoomDialog = lazy(() => import('./ZoomDialog'));

interface GeneratedImageDisplayProps {
    job: GenerationJob;
    identity: Identity | undefined;
    photos: readonly ReferenceImage[];
    onRegenerate: (() => void) | null;
    onUseAgain: () => void;
}

type View = 'result' | 'photos' | 'before';

const views: readonly { view: View; label: string }[] = [
    { view: 'result', label: 'Picture' },
    { view: 'photos', label: 'With photos' },
    { view: 'before', label: 'Before and after' },
];

function altOf(job: GenerationJob, identity: Identity | undefined): string {
    return `Generated picture${identity ? ` of ${identity.name}` : ''}${job.additional_prompt ? `: ${job.additional_prompt.slice(0, 120)}` : ''}`;
}

function Result({ job, identity, onZoom }: { job: GenerationJob; identity: Identity | undefined; onZoom: () => void }) {
    return (
        <button
            type="button"
            className="result-picture"
            onClick={onZoom}
            aria-label={`${altOf(job, identity)}. Enlarge`}
        >
            <PictureImage
                src={job.image_url!}
                alt=""
                stale={keys.job(job.id)}
                width={job.width ?? undefined}
                height={job.height ?? undefined}
            />
            <span className="result-zoom">
                <Icon name="zoom" size={18} />
                Enlarge
            </span>
        </button>
    );
}

function BesidePhotos({
    job,
    identity,
    photos,
}: {
    job: GenerationJob;
    identity: Identity | undefined;
    photos: readonly ReferenceImage[];
}) {
    const there = photosOf(job, photos);
    const gone = job.reference_image_ids.length - there.length;

    return (
        <div className="compare compare-photos">
            <figure>
                <PictureImage
                    src={job.image_url!}
                    alt={altOf(job, identity)}
                    stale={keys.job(job.id)}
                    width={job.width ?? undefined}
                    height={job.height ?? undefined}
                />
                <figcaption>Generated</figcaption>
            </figure>
            <div className="compare-list">
                {there.map((photo) => (
                    <figure key={photo.id}>
                        <PictureImage
                            src={photo.image!.large}
                            alt={photo.name || `Photo ${photo.order + 1}`}
                            stale={keys.referenceImagesOf(photo.user)}
                            loading="lazy"
                        />
                        <figcaption>{photo.name || `Photo ${photo.order + 1}`}</figcaption>
                    </figure>
                ))}
                {gone > 0 && (
                    <p className="hint">
                        {gone === 1 ? 'One photo' : `${gone} photos`} of this picture {gone === 1 ? 'is' : 'are'} not
                        shown here.
                    </p>
                )}
            </div>
        </div>
    );
}

function BeforeAndAfter({
    job,
    identity,
    saved,
}: {
    job: GenerationJob;
    identity: Identity | undefined;
    saved: boolean;
}) {
    return (
        <div className="compare">
            <figure>
                {identity?.image ? (
                    <PictureImage
                        src={identity.image.large}
                        alt={`Current picture of ${identity.name}`}
                        stale={keys.identity(identity.id)}
                    />
                ) : (
                    <span className="compare-none">
                        <Icon name="picture" size={28} />
                        No picture yet
                    </span>
                )}
                <figcaption>{saved ? 'Current: this picture' : 'Now'}</figcaption>
            </figure>
            <figure>
                <PictureImage
                    src={job.image_url!}
                    alt={altOf(job, identity)}
                    stale={keys.job(job.id)}
                    width={job.width ?? undefined}
                    height={job.height ?? undefined}
                />
                <figcaption>This picture</figcaption>
            </figure>
        </div>
    );
}

function Facts({ job }: { job: GenerationJob }) {
    const facts: [string, string][] = [
        ['Prompt', job.prompt_version ? `version ${job.prompt_version}` : 'a deleted version'],
        ['Shape', `${job.aspect_ratio}, ${job.resolution}${job.width ? ` (${job.width} × ${job.height})` : ''}`],
        ['Model', job.requested_model === job.model ? job.model : `${job.model} (requested as ${job.requested_model})`],
        ['Took', duration(Math.max(1, secondsOf(job)))],
        ...(job.cost !== null ? [['Cost', dollars(job.cost)] as [string, string]] : []),
        ['Made', new Date(job.created_at).toLocaleString()],
    ];

    return (
        <details className="facts">
            <summary>Details</summary>
            <dl>
                {facts.map(([term, fact]) => (
                    <div key={term}>
                        <dt>{term}</dt>
                        <dd>{fact}</dd>
                    </div>
                ))}
            </dl>
            {job.additional_prompt && (
                <>
                    <p className="hint">Additional prompt</p>
                    <p className="facts-text">{job.additional_prompt}</p>
                </>
            )}
            <p className="hint">Full prompt</p>
            <pre className="preview-text" tabIndex={0} aria-label="Full prompt">
                {job.prompt_used}
            </pre>
        </details>
    );
}

export function GeneratedImageDisplay({ job, identity, photos, onRegenerate, onUseAgain }: GeneratedImageDisplayProps) {
    const name = useId();
    const [view, setView] = useState<View>('result');
    const [zoom, setZoom] = useState(false);
    const { save, undo } = useSaveToIdentity(job);
    const saved = isSaved(job, identity);
    const actions = useKeepFocus<HTMLDivElement>(saved);

    return (
        <div className="result">
            <fieldset className="views">
                <legend className="visually-hidden">Warnings</legend>
                {views.map((one) => (
                    <label key={one.view} className="view">
                        <input
                            type="radio"
                            name={name}
                            checked={view === one.view}
                            onChange={() => setView(one.view)}
                        />
                        <span>{one.label}</span>
                    </label>
                ))}
            </fieldset>
            {view === 'result' && <Result job={job} identity={identity} onZoom={() => setZoom(true)} />}
            {view === 'photos' && <BesidePhotos job={job} identity={identity} photos={photos} />}
            {view === 'before' && <BeforeAndAfter job={job} identity={identity} saved={saved} />}
            {job.warnings.length > 0 && (
                <div className="notice notice-warning">
                    <Icon name="warning" />
                    <div className="notice-body">
                        {job.warnings.map((warning) => (
                            <p key={warning}>{warning}</p>
                        ))}
                    </div>
                </div>
            )}
            <div className="job-actions" ref={actions}>
                {saved ? (
                    <>
                        <span className="saved">
                            <Icon name="check" size={18} />
                            Saved to {identity?.name}
                        </span>
                        <Button
                            icon={<Icon name="undo" size={18} />}
                            busy={undo.isPending}
                            onClick={() => undo.mutate()}
                        >
                            Undo
                        </Button>
                    </>
                ) : (
                    job.identity && (
                        <Button
                            tone="primary"
                            icon={<Icon name="check" size={18} />}
                            busy={save.isPending}
                            onClick={() => save.mutate()}
                        >
                            {save.isPending ? 'Saving' : 'Save to Identity'}
                        </Button>
                    )
                )}
                {job.download_url && (
                    <a className="button button-default" href={job.download_url} download>
                        <Icon name="download" size={18} />
                        <span>Download</span>
                    </a>
                )}
                {onRegenerate && (
                    <Button icon={<Icon name="replace" size={18} />} onClick={onRegenerate}>
                        Regenerate
                    </Button>
                )}
                <Button tone="quiet" onClick={onUseAgain}>
                    Use these settings
                </Button>
            </div>
            <Facts job={job} />
            {zoom && (
                <Suspense>
                    <ZoomDialog job={job} alt={altOf(job, identity)} onClose={() => setZoom(false)} />
                </Suspense>
            )}
        </div>
    );
}

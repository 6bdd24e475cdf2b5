// History.tsx - all generations, with filters for user, identity, state and words.
import { useState } from 'react';
import type { AvailableUser, GenerationJob } from '../../../api/types';
import { keys } from '../../../api/queryKeys';
import { Button } from '../../../components/Button';
import { EmptyState } from '../../../components/EmptyState';
import { ErrorNotice } from '../../../components/ErrorNotice';
import { Field } from '../../../components/Field';
import { Icon } from '../../../components/Icon';
import { PictureImage } from '../../../components/PictureImage';
import { Skeleton } from '../../../components/Skeleton';
import { useDebounced } from '../../../components/useDebounced';
import { useSession } from '../../../session/SessionProvider';
import { useHistory, useIdentities } from '../hooks/use-image-generation';
import type { Jobs } from '../hooks/use-image-generation';
import { dollars, nameOf, stateWords } from '../jobs';

interface HistoryProps {
    user: AvailableUser;
    jobs: Jobs;
    onUseAgain: (job: GenerationJob) => void;
}

const states = ['succeeded', 'failed', 'canceled', 'running', 'queued'] as const;

function Row({ job, onShow, onUseAgain }: { job: GenerationJob; onShow: () => void; onUseAgain: () => void }) {
    const name = nameOf(job);
    const made = new Date(job.created_at);
    const facts = [
        job.prompt_version ? `prompt v${job.prompt_version}` : null,
        `${job.aspect_ratio}, ${job.resolution}`,
        job.model,
        job.reference_image_ids.length === 1 ? '1 photo' : `${job.reference_image_ids.length} photos`,
        job.cost !== null ? dollars(job.cost) : null,
    ].filter(Boolean);

    return (
        <li className="history-row" data-job={job.id}>
            <div className="history-picture">
                {job.image_url ? (
                    <PictureImage
                        src={job.image_url}
                        alt=""
                        loading="lazy"
                        fetchPriority="low"
                        stale={keys.jobs}
                        width={job.width ?? undefined}
                        height={job.height ?? undefined}
                    />
                ) : (
                    <Icon name={job.state === 'failed' ? 'warning' : 'clock'} size={24} />
                )}
            </div>
            <div className="history-words">
                <p className="history-line">
                    <strong>{name}</strong> <span className={`badge badge-${job.state}`}>{stateWords(job)}</span>
                </p>
                {job.additional_prompt && <p className="history-prompt">{job.additional_prompt}</p>}
                {job.error && <p className="history-prompt">{job.error.detail}</p>}
                <p className="hint">
                    <time dateTime={job.created_at}>
                        {made.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}
                    </time>{' '}
                    · {facts.join(' · ')}
                </p>
            </div>
            <div className="history-actions">
                <Button size="small" aria-label={`Show ${name} of ${made.toLocaleString()}`} onClick={onShow}>
                    Show
                </Button>
                <Button
                    size="small"
                    tone="quiet"
                    aria-label={`Use these settings: ${name} of ${made.toLocaleString()}`}
                    onClick={onUseAgain}
                >
                    Use these settings
                </Button>
            </div>
        </li>
    );
}

export function History({ user, jobs, onUseAgain }: HistoryProps) {
    const identities = useIdentities(user);
    const [whose, setWhose] = useState<'user' | 'all'>('user');
    const [identity, setIdentity] = useState('');
    const [state, setState] = useState('');
    const [asker, setAsker] = useState<'anyone' | 'me'>('anyone');
    const [words, setWords] = useState('');
    const search = useDebounced(words.trim(), 300);
    const me = useSession().user.id;
    const filter = {
        ...(whose === 'user' ? { user_id: user.id } : {}),
        ...(asker === 'me' ? { requested_by: me } : {}),
        ...(identity ? { identity_id: identity } : {}),
        ...(state ? { state } : {}),
        ...(search ? { search } : {}),
    };
    const history = useHistory(filter);
    const rows = history.data?.pages.flatMap((page) => page.results) ?? [];
    const isFiltered = Boolean(identity || state || search || asker === 'me');

    function show(job: GenerationJob): void {
        jobs.show(job);
        requestAnimationFrame(() => {
            const card = document.querySelector<HTMLElement>(`article[data-job="${job.id}"]`);

            card?.scrollIntoView({ block: 'start' });
            card?.querySelector<HTMLElement>('button')?.focus({ preventScroll: true });
        });
    }

    return (
        <section className="card images-history" aria-labelledby="history-title">
            <div className="card-header">
                <h2 id="history-title">History</h2>
            </div>
            <div className="history-filters" role="search" aria-label="History">
                <Field label="Search">
                    {(props) => (
                        <input
                            {...props}
                            type="search"
                            className="input"
                            placeholder="Prompt or identity"
                            value={words}
                            onChange={(event) => setWords(event.target.value)}
                            maxLength={200}
                        />
                    )}
                </Field>
                <Field label="Photos of">
                    {(props) => (
                        <select
                            {...props}
                            className="input select"
                            value={whose}
                            onChange={(event) => {
                                setWhose(event.target.value as 'user' | 'all');
                                setIdentity('');
                            }}
                        >
                            <option value="user">{user.name}</option>
                            <option value="all">All users</option>
                        </select>
                    )}
                </Field>
                <Field label="Identity">
                    {(props) => (
                        <select
                            {...props}
                            className="input select"
                            value={identity}
                            onChange={(event) => setIdentity(event.target.value)}
                        >
                            <option value="">All</option>
                            {(identities.data ?? []).map((one) => (
                                <option key={one.id} value={one.id}>
                                    {one.name}
                                </option>
                            ))}
                        </select>
                    )}
                </Field>
                <Field label="Requested by">
                    {(props) => (
                        <select
                            {...props}
                            className="input select"
                            value={asker}
                            onChange={(event) => setAsker(event.target.value as 'anyone' | 'me')}
                        >
                            <option value="anyone">Anyone</option>
                            <option value="me">Me</option>
                        </select>
                    )}
                </Field>
                <Field label="State">
                    {(props) => (
                        <select
                            {...props}
                            className="input select"
                            value={state}
                            onChange={(event) => setState(event.target.value)}
                        >
                            <option value="">All</option>
                            {states.map((one) => (
                                <option key={one} value={one}>
                                    {one[0]!.toUpperCase() + one.slice(1)}
                                </option>
                            ))}
                        </select>
                    )}
                </Field>
            </div>
            {history.error && !history.data && (
                <ErrorNotice
                    title="Couldn't load the history."
                    error={history.error}
                    onRetry={() => void history.refetch()}
                />
            )}
            {history.isPending && <Skeleton className="history-skeleton" />}
            {history.data &&
                !rows.length &&
                (isFiltered ? (
                    <EmptyState icon="search" title="No results">
                        <p>Change the filters to see more pictures.</p>
                    </EmptyState>
                ) : (
                    <EmptyState icon="clock" title="No pictures yet">
                        <p>Every generated picture stays here with its settings.</p>
                    </EmptyState>
                ))}
            {rows.length > 0 && (
                <ul className={`history-list ${history.isPlaceholderData ? 'history-waiting' : ''}`}>
                    {rows.map((job) => (
                        <Row key={job.id} job={job} onShow={() => show(job)} onUseAgain={() => onUseAgain(job)} />
                    ))}
                </ul>
            )}
            {history.hasNextPage && (
                <Button
                    className="history-more"
                    busy={history.isFetchingNextPage}
                    onClick={() => void history.fetchNextPage()}
                >
                    Show more
                </Button>
            )}
        </section>
    );
}

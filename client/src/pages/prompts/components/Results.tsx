// Results.tsx - generations with a version.
import { Link } from 'wouter';
import type { GenerationJob, Prompt } from '../../../api/types';
import { useQuery } from '@tanstack/react-query';
import { getIdentity } from '../../../api/identities';
import { keys } from '../../../api/queryKeys';
import { Button } from '../../../components/Button';
import { EmptyState } from '../../../components/EmptyState';
import { ErrorNotice } from '../../../components/ErrorNotice';
import { Icon } from '../../../components/Icon';
import { PictureImage } from '../../../components/PictureImage';
import { Skeleton } from '../../../components/Skeleton';
import { Time } from '../../../components/Time';
import { useResults } from '../hooks/use-prompts';

const states: Record<GenerationJob['state'], string> = {
    queued: 'Waiting',
    running: 'Running',
    succeeded: 'Done',
    failed: 'Failed',
    canceled: 'Canceled',
};

function useIdentityName(id: string | null): string {
    const { data } = useQuery({
        queryKey: keys.identity(id ?? ''),
        queryFn: ({ signal }) => getIdentity(id!, signal),
        enabled: id !== null,
        staleTime: 5 * 60_000,
    });

    return data?.name ?? (id ? '…' : 'Deleted identity');
}

function Result({ job, promptId }: { job: GenerationJob; promptId: string }) {
    const name = useIdentityName(job.identity);

    return (
        <li className="prompts-result">
            {job.image_url ? (
                <a
                    href={job.image_url}
                    target="_blank"
                    rel="noreferrer"
                    className="prompts-result-picture"
                    aria-label={`${name}: open the picture`}
                >
                    <PictureImage
                        src={job.image_url}
                        alt=""
                        stale={keys.jobList({ prompt_id: promptId })}
                        loading="lazy"
                    />
                </a>
            ) : (
                <span className="prompts-result-picture prompts-result-none">
                    <Icon name={job.state === 'failed' ? 'warning' : 'picture'} size={28} />
                </span>
            )}
            <span className="prompts-result-name">{name}</span>
            <span className="hint">
                {job.state !== 'succeeded' && `${states[job.state]} · `}
                <Time at={job.created_at} withTime />
            </span>
            {job.error && <span className="hint prompts-result-error">{job.error.detail}</span>}
        </li>
    );
}

export function Results({ prompt }: { prompt: Prompt }) {
    const results = useResults(prompt.id);
    const jobs = results.data?.pages.flatMap((page) => page.results);

    if (results.error && !jobs) {
        return <ErrorNotice error={results.error} onRetry={() => void results.refetch()} />;
    }
    if (!jobs) {
        return (
            <div className="prompts-results">
                {[1, 2, 3].map((one) => (
                    <Skeleton key={one} className="prompts-skeleton-result" />
                ))}
            </div>
        );
    }
    if (!jobs.length) {
        return (
            <EmptyState icon="picture" title="No pictures with this version yet">
                <p>
                    {prompt.prompt_type === 'image_generation' ? (
                        <>
                            Generate one on the page <Link href="/images">Images</Link>.
                        </>
                    ) : (
                        'Pictures use prompts of the type Image Generation.'
                    )}
                </p>
            </EmptyState>
        );
    }
    return (
        <>
            <ul className="prompts-results" aria-label={`Pictures with version ${prompt.version}`}>
                {jobs.map((job) => (
                    <Result key={job.id} job={job} promptId={prompt.id} />
                ))}
            </ul>
            {results.hasNextPage && (
                <p className="list-more">
                    <Button busy={results.isFetchingNextPage} onClick={() => void results.fetchNextPage()}>
                        Show more
                    </Button>
                </p>
            )}
        </>
    );
}

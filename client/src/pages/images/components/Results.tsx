// Results.tsx - what is being made and what has come of it since one is here: the newest first, none replaces another.
import { useEffect, useRef } from 'react';
import type { GenerationJob, GenerationOptions, ReferenceImage } from '../../../api/types';
import { EmptyState } from '../../../components/EmptyState';
import { Spinner } from '../../../components/Icon';
import type { Jobs, Sending } from '../hooks/use-image-generation';
import { stateWords } from '../jobs';
import { JobCard } from './JobCard';

interface ResultsProps {
    jobs: Jobs;
    photos: readonly ReferenceImage[];
    options: GenerationOptions | undefined;
    onUseAgain: (job: GenerationJob) => void;
}

function SendingCard({ one }: { one: Sending }) {
    return (
        <article className="card job" aria-label="New picture">
            <p className="job-words">
                <Spinner />
                Sending{one.wanted.additional_prompt ? `: ${one.wanted.additional_prompt.slice(0, 80)}` : ''}
            </p>
        </article>
    );
}

export function Results({ jobs, photos, options, onUseAgain }: ResultsProps) {
    const sending = jobs.sending.filter((one) => !one.error);
    const newest = jobs.jobs[0];
    // How the newest one does, for those who listen: a place that is there before its words are. Failures say so themselves.
    const said = sending.length ? 'Sending' : newest && newest.state !== 'failed' ? stateWords(newest) : '';

    const list = useRef<HTMLElement>(null);
    const begun = sending[0]?.key;

    // What one has just begun is seen, wherever its button was.
    useEffect(() => {
        if (begun) {
            list.current?.querySelector('article')?.scrollIntoView({ block: 'nearest' });
        }
    }, [begun]);

    return (
        <section ref={list} className="images-results" aria-labelledby="results-title">
            <h2 id="results-title" className="images-results-title">
                Generated images
            </h2>
            <p className="visually-hidden" role="status">
                {said}
            </p>
            {sending.map((one) => (
                <SendingCard key={one.key} one={one} />
            ))}
            {jobs.jobs.map((job) => (
                <JobCard
                    key={job.id}
                    job={job}
                    photos={photos}
                    options={options}
                    onUseAgain={onUseAgain}
                    onRegenerate={jobs.start}
                    onClose={() => jobs.forget(job.id)}
                />
            ))}
            {!sending.length && !jobs.jobs.length && (
                <div className="card images-nothing">
                    <EmptyState icon="sparkle" title="No picture yet">
                        <p>
                            Put in photos, choose an identity, and press “Generate image”. What is being made shows
                            here, with how far it is.
                        </p>
                    </EmptyState>
                </div>
            )}
        </section>
    );
}

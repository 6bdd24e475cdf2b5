// Results.tsx - running and finished generations of this visit, newest first.
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
    // Status of the newest job for screen readers. The live region must exist before its text. Failures have alerts of their own.
    const said = sending.length ? 'Sending' : newest && newest.state !== 'failed' ? stateWords(newest) : '';

    const list = useRef<HTMLElement>(null);
    const begun = sending[0]?.key;

    // Scroll the job that was just started into view.
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
                        <p>Add photos, pick an identity and generate. Progress and results appear here.</p>
                    </EmptyState>
                </div>
            )}
        </section>
    );
}

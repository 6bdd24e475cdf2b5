// jobs.ts - a job in words: where it is, how long it took, what a failure means and what to try.
import { serverNow } from '../../api/client';
import type { GenerationJob, Identity, ReferenceImage, ResolutionChoice } from '../../api/types';

export function isActive(job: GenerationJob): boolean {
    return job.state === 'queued' || job.state === 'running';
}

/** "1st", "2nd", "13th". */
export function ordinal(n: number): string {
    const tail = n % 100 > 10 && n % 100 < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');

    return `${n}${tail}`;
}

/** Whose picture it is, by the name that the identity has now. */
export function nameOf(job: GenerationJob): string {
    return job.identity_name ?? 'Deleted identity';
}

/** The state in words. */
export function stateWords(job: GenerationJob): string {
    switch (job.state) {
        case 'queued':
            return job.queue_position ? `Queued, ${ordinal(job.queue_position)} in line` : 'Queued';
        case 'running':
            return job.cancel_requested ? 'Canceling' : job.image_url ? 'Saving' : 'Working';
        case 'succeeded':
            return 'Done';
        case 'failed':
            return 'Failed';
        case 'canceled':
            return 'Canceled';
    }
}

/** "12 s", "2 min 5 s". */
export function duration(seconds: number): string {
    const whole = Math.max(0, Math.round(seconds));

    return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60 ? `${whole % 60} s` : ''}`.trim();
}

/** How long a job has taken so far, or took. */
export function secondsOf(job: GenerationJob): number {
    const end = job.finished_at ? Date.parse(job.finished_at) : serverNow();

    return Math.max(0, (end - Date.parse(job.started_at ?? job.created_at)) / 1000);
}

/** "$0.24"; small amounts to the tenth of a cent. */
export function dollars(amount: number): string {
    return amount === 0
        ? 'free'
        : `$${amount.toFixed(Math.abs(amount * 100 - Math.round(amount * 100)) > 1e-6 ? 3 : 2)}`;
}

/** What a picture costs and how long it usually takes: "$0.24 · about 25 s". */
export function expectation(
    choice: Pick<ResolutionChoice, 'price' | 'median_seconds'> | undefined,
    isFree: boolean,
): string {
    const parts = [];

    if (isFree) {
        parts.push('free');
    } else if (choice?.price != null) {
        parts.push(dollars(choice.price));
    }
    if (choice?.median_seconds != null) {
        parts.push(`usually ${choice.median_seconds < 1.5 ? 'a second' : duration(choice.median_seconds)}`);
    }
    return parts.join(' · ');
}

/** The uuid that a generated picture keeps as its file name when it is saved to an identity. */
function pictureName(url: string): string {
    return new URL(url, 'http://x').pathname
        .split('/')
        .pop()!
        .replace(/\.[^.]*$/, '');
}

/** Whether the identity's present picture is this job's. */
export function isSaved(job: GenerationJob, identity: Identity | undefined): boolean {
    return (
        Boolean(job.image_url && identity?.image) &&
        pictureName(job.image_url!) === pictureName(identity!.image!.original)
    );
}

/** The photos of a job that are still there, in their slots' order. */
export function photosOf(job: GenerationJob, photos: readonly ReferenceImage[]): ReferenceImage[] {
    return photos.filter((photo) => photo.image && job.reference_image_ids.includes(photo.id));
}

interface Failure {
    title: string;
    advice: string;
}

const failures: Readonly<Record<string, Failure>> = {
    refused: {
        title: 'The image provider refused this picture.',
        advice: 'Change the additional prompt, or leave out the photo that may be the reason; then try again.',
    },
    no_image: {
        title: 'The image provider answered without a picture.',
        advice: 'This is often chance: try again. If it stays so, describe the picture in the additional prompt.',
    },
    provider_busy: {
        title: 'The image provider has too much to do.',
        advice: 'Try again in a minute or two.',
    },
    provider_down: {
        title: 'The image provider cannot be reached.',
        advice: 'Try again later. If it stays so, the operator of this server can find the reason in its log.',
    },
    provider_key: {
        title: "The image provider does not accept this server's key.",
        advice: 'The operator of this server has to look at the key; trying again does not help.',
    },
    provider_request: {
        title: 'The image provider did not accept the request.',
        advice: 'Try another resolution or aspect ratio, or fewer photos.',
    },
    model_retired: {
        title: 'The model is no longer offered.',
        advice: 'Choose another model, or ask the operator of this server to name one.',
    },
    provider_reply: {
        title: "The image provider's answer was of no use.",
        advice: 'This is often chance: try again.',
    },
    timeout: {
        title: 'The picture did not come in time.',
        advice: 'Try again, perhaps with a lower resolution.',
    },
    no_readable_references: {
        title: 'None of the photos could be loaded.',
        advice: 'Put them in again; then try again.',
    },
    lost: {
        title: 'The process that made this picture has ended.',
        advice: 'Try again. The server keeps going; only this picture was lost.',
    },
    store_down: {
        title: 'The picture could not be stored.',
        advice: 'Try again in a minute. If it stays so, the operator of this server has to look at the store.',
    },
};

/** What became of a failed job, and what to try. */
export function failure(code: string): Failure {
    return (
        failures[code] ?? {
            title: 'There is no picture.',
            advice: 'Try again. If it stays so, tell the operator of this server the time of this attempt.',
        }
    );
}

/** Whether it was paid for, in a sentence. */
export function billed(paid: boolean | null): string {
    if (paid === null) {
        return 'Whether it was billed only the provider knows.';
    }
    return paid ? 'It was billed.' : 'It was not billed.';
}

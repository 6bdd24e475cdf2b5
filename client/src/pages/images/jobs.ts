// jobs.ts - texts for a job: state, duration, price, and advice after a failure.
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

/** The current name of the job's identity. */
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

/** Seconds that a job has taken. */
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

/** Price and usual duration of a picture: "$0.24 · about 25 s". */
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

/** The UUID in the file name of a generated picture, which stays the same on its identity. */
function pictureName(url: string): string {
    return new URL(url, 'http://x').pathname
        .split('/')
        .pop()!
        .replace(/\.[^.]*$/, '');
}

/** Whether the identity's current picture is from this job. */
export function isSaved(job: GenerationJob, identity: Identity | undefined): boolean {
    return (
        Boolean(job.image_url && identity?.image) &&
        pictureName(job.image_url!) === pictureName(identity!.image!.original)
    );
}

/** The photos of a job that still exist, in slot order. */
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
        advice: 'Change the additional prompt, or leave out the photo that may have caused this. Then try again.',
    },
    no_image: {
        title: 'The image provider answered without a picture.',
        advice: 'This often happens by chance. Try again. If it persists, describe the picture in the additional prompt.',
    },
    provider_busy: {
        title: 'The image provider is overloaded.',
        advice: 'Try again in a minute or two.',
    },
    provider_down: {
        title: "Can't reach the image provider.",
        advice: 'Try again later. If it persists, ask the operator to check the server log.',
    },
    provider_key: {
        title: "The image provider rejected this server's API key.",
        advice: 'Ask the operator to check the API key. Retrying does not help.',
    },
    provider_request: {
        title: 'The image provider rejected the request.',
        advice: 'Try another resolution or aspect ratio, or fewer photos.',
    },
    model_retired: {
        title: 'This model is no longer available.',
        advice: 'Choose another model, or ask the operator to configure one.',
    },
    provider_reply: {
        title: 'The image provider sent an invalid response.',
        advice: 'This often happens by chance. Try again.',
    },
    timeout: {
        title: 'The picture took too long.',
        advice: 'Try again, perhaps with a lower resolution.',
    },
    no_readable_references: {
        title: "Couldn't load any of the photos.",
        advice: 'Add them again, then retry.',
    },
    lost: {
        title: 'The server process for this picture stopped.',
        advice: 'Try again. Only this picture was lost.',
    },
    store_down: {
        title: "Couldn't store the picture.",
        advice: 'Try again in a minute. If it persists, ask the operator to check the picture store.',
    },
};

/** Title and advice for a failed job. */
export function failure(code: string): Failure {
    return (
        failures[code] ?? {
            title: 'No picture was generated.',
            advice: 'Try again. If it persists, tell the operator the time of this attempt.',
        }
    );
}

/** A sentence on billing. */
export function billed(paid: boolean | null): string {
    if (paid === null) {
        return "We can't tell whether this was billed.";
    }
    return paid ? 'It was billed.' : 'It was not billed.';
}

// settings.ts - settings of a generation, stored per user in the tab.
import type { GenerationJob, GenerationOptions, ReferenceImage } from '../../api/types';
import { notify } from '../../components/notify';
import { useDraft } from '../../session/drafts';

function defaultOf(choices: readonly { value: string; is_default: boolean }[] | undefined): string {
    return choices?.find((choice) => choice.is_default)?.value ?? choices?.[0]?.value ?? '';
}

function allowed(value: string | null, choices: readonly { value: string; is_default: boolean }[] | undefined): string {
    return value && choices?.some((choice) => choice.value === value) ? value : defaultOf(choices);
}

export function useSettings(
    userId: string,
    options: GenerationOptions | undefined,
    photos: readonly ReferenceImage[] | undefined,
) {
    const [prompt, setPrompt] = useDraft('images.prompt', '');
    const [ratio, setRatio] = useDraft<string | null>('images.ratio', null);
    const [resolution, setResolution] = useDraft<string | null>('images.resolution', null);
    const [model, setModel] = useDraft<string | null>('images.model', null);
    // Photos to leave out, so that a new photo is used by default.
    const [left, setLeft] = useDraft<string[]>(`images.left.${userId}`, []);
    const chosenModel = allowed(model, options?.models);
    const offer = options?.models.find((one) => one.value === chosenModel);
    const filled = (photos ?? []).filter((photo) => photo.image);
    const chosen = filled.filter((photo) => !left.includes(photo.id));

    function take(job: GenerationJob): void {
        const before = filled.filter((photo) => job.reference_image_ids.includes(photo.id));

        setRatio(job.aspect_ratio);
        setResolution(job.resolution);
        setModel(job.model);
        if (before.length && job.user === userId) {
            setLeft(filled.filter((photo) => !before.includes(photo)).map((photo) => photo.id));
        }
        if (!prompt.trim()) {
            setPrompt(job.additional_prompt);
            notify({ tone: 'info', title: 'Settings copied.' });
        } else if (job.additional_prompt && job.additional_prompt !== prompt.trim()) {
            notify({
                tone: 'info',
                title: 'Settings copied.',
                detail: 'Your text was not changed.',
                action: { label: 'Use the earlier text', run: () => setPrompt(job.additional_prompt) },
            });
        } else {
            notify({ tone: 'info', title: 'Settings copied.' });
        }
    }

    return {
        prompt,
        setPrompt,
        // Aspect ratios and resolutions of the selected model.
        offer,
        ratio: allowed(ratio, offer?.aspect_ratios),
        setRatio,
        resolution: allowed(resolution, offer?.resolutions),
        setResolution,
        model: chosenModel,
        setModel,
        filled,
        chosen,
        goesAlong: (id: string) => !left.includes(id),
        setAlong: (id: string, along: boolean) => setLeft(along ? left.filter((one) => one !== id) : [...left, id]),
        take,
    };
}

export type Settings = ReturnType<typeof useSettings>;

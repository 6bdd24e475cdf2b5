// GenerationForm.tsx - identity, additional prompt, format and the Generate button.
import { useId, useState } from 'react';
import type { KeyboardEvent } from 'react';
import type { UseQueryResult } from '@tanstack/react-query';
import { sentence } from '../../../api/client';
import type { AvailableUser, GenerationOptions, GenerationRequest, Identity, ReferenceImage } from '../../../api/types';
import { Button } from '../../../components/Button';
import { ErrorNotice } from '../../../components/ErrorNotice';
import { Field } from '../../../components/Field';
import { Icon, Spinner } from '../../../components/Icon';
import { Skeleton } from '../../../components/Skeleton';
import { useDebounced } from '../../../components/useDebounced';
import { useIdentities, usePromptPreview } from '../hooks/use-image-generation';
import type { Jobs } from '../hooks/use-image-generation';
import { expectation } from '../jobs';
import type { Settings } from '../settings';
import { IdentitySelector } from './IdentitySelector';

interface GenerationFormProps {
    user: AvailableUser;
    photos: ReferenceImage[] | undefined;
    options: UseQueryResult<GenerationOptions>;
    settings: Settings;
    jobs: Jobs;
    identityId: string | null;
    onIdentity: (id: string) => void;
}

interface ChipsProps {
    legend: string;
    name: string;
    value: string;
    choices: readonly { value: string; label: string; detail?: string; shape?: string }[];
    onChange: (value: string) => void;
}

/** An icon of an aspect ratio. */
function Shape({ ratio }: { ratio: string }) {
    const [width = 1, height = 1] = ratio.split(':').map(Number);
    const scale = 18 / Math.max(width, height);
    const [w, h] = [Math.max(4, width * scale), Math.max(4, height * scale)];

    return (
        <svg
            width="20"
            height="20"
            viewBox="0 0 20 20"
            fill="none"
            stroke="currentColor"
            strokeWidth="1.5"
            aria-hidden="true"
            focusable="false"
        >
            <rect x={(20 - w) / 2} y={(20 - h) / 2} width={w} height={h} rx="1.500" />
        </svg>
    );
}

function Chips({ legend, name, value, choices, onChange }: ChipsProps) {
    return (
        <fieldset className="chips">
            <legend className="label">{legend}</legend>
            <div className="chips-row">
                {choices.map((choice) => (
                    <label key={choice.value} className="chip">
                        <input
                            type="radio"
                            name={name}
                            value={choice.value}
                            checked={choice.value === value}
                            onChange={() => onChange(choice.value)}
                        />
                        <span className="chip-face">
                            {choice.shape && <Shape ratio={choice.shape} />}
                            <span>{choice.label}</span>
                            {choice.detail && <span className="chip-detail">{choice.detail}</span>}
                        </span>
                    </label>
                ))}
            </div>
        </fieldset>
    );
}

function PromptPreview({ identityId, additionalPrompt }: { identityId: string | null; additionalPrompt: string }) {
    const [open, setOpen] = useState(false);
    const { prompt, preview } = usePromptPreview(identityId, useDebounced(additionalPrompt.trim(), 300), open);
    const error = prompt.error ?? preview.error;

    return (
        <details className="preview" onToggle={(event) => setOpen(event.currentTarget.open)}>
            <summary>Preview of the exact prompt</summary>
            {open && (
                <div className="preview-body">
                    {error && <ErrorNotice title="Couldn't load the preview." error={error} />}
                    {!identityId && <p className="muted">Choose an identity to preview the prompt.</p>}
                    {prompt.data === null && (
                        <p className="notice notice-warning">
                            <Icon name="warning" />
                            <span className="notice-body">The image generation prompt has no live version.</span>
                        </p>
                    )}
                    {identityId &&
                        !error &&
                        prompt.data !== null &&
                        (preview.data ? (
                            <>
                                <p className="hint">
                                    Version {preview.data.prompt_version} {preview.isFetching && <Spinner size={12} />}
                                </p>
                                <pre className="preview-text" tabIndex={0} aria-label="Prompt">
                                    {preview.data.prompt}
                                </pre>
                            </>
                        ) : (
                            <Skeleton className="preview-skeleton" />
                        ))}
                </div>
            )}
        </details>
    );
}

/** Why generation is not possible yet, or null. */
function obstacle(chosen: Identity | undefined, settings: Settings, tooLong: boolean): string | null {
    if (!settings.filled.length) {
        return 'Add at least one photo first.';
    }
    if (!settings.chosen.length) {
        return 'Select at least one photo to use.';
    }
    if (!chosen) {
        return 'Choose an identity first.';
    }
    return tooLong ? 'The additional prompt is too long.' : null;
}

export function GenerationForm({ user, photos, options, settings, jobs, identityId, onIdentity }: GenerationFormProps) {
    const id = useId();
    const identities = useIdentities(user);
    const chosen =
        identities.data?.find((identity) => identity.id === identityId) ??
        (identities.data?.length === 1 ? identities.data[0] : undefined);
    const data = options.data;
    const isFree = data?.generator === 'preview';
    const most = data?.limits.max_additional_prompt ?? 10_000;
    const length = Array.from(settings.prompt.trim()).length;
    const why = obstacle(chosen, settings, length > most);
    const isReady = why === null && data !== undefined && photos !== undefined;
    const resolution = settings.offer?.resolutions.find((one) => one.value === settings.resolution);
    const expected = expectation(resolution, isFree);

    function submit(): void {
        if (!isReady || !chosen) {
            return;
        }
        const wanted: GenerationRequest = {
            identity_id: chosen.id,
            user_id: user.id,
            additional_prompt: settings.prompt.trim(),
            save_to_identity: false,
            aspect_ratio: settings.ratio as GenerationRequest['aspect_ratio'],
            resolution: settings.resolution as GenerationRequest['resolution'],
            model: settings.model,
            reference_image_ids: settings.chosen.map((photo) => photo.id),
        };

        void jobs.start(wanted);
    }

    function onKey(event: KeyboardEvent): void {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            submit();
        }
    }

    return (
        <section className="card images-form" id="settings" aria-labelledby={`${id}-title`} onKeyDown={onKey}>
            <div className="card-header">
                <h2 id={`${id}-title`}>New picture</h2>
            </div>
            <div className="stack images-form-stack">
                <IdentitySelector
                    user={user}
                    identities={identities}
                    chosen={chosen}
                    isWanted={identityId !== null}
                    onChange={onIdentity}
                />
                <Field
                    label={
                        <>
                            Additional prompt <span className="optional">optional</span>
                        </>
                    }
                    error={
                        length > most
                            ? `${length.toLocaleString('en')} of at most ${most.toLocaleString('en')} characters.`
                            : undefined
                    }
                >
                    {(props) => (
                        <textarea
                            {...props}
                            data-field="additional-prompt"
                            className="input"
                            rows={4}
                            value={settings.prompt}
                            placeholder="Warm evening light, looking into the distance"
                            onChange={(event) => settings.setPrompt(event.target.value)}
                        />
                    )}
                </Field>
                {options.error && !data && (
                    <ErrorNotice
                        title="Couldn't load the settings."
                        error={options.error}
                        onRetry={() => void options.refetch()}
                    />
                )}
                {options.isPending && <Skeleton className="chips-skeleton" />}
                {data && settings.offer && (
                    <>
                        <Chips
                            legend="Aspect ratio"
                            name={`${id}-ratio`}
                            value={settings.ratio}
                            onChange={settings.setRatio}
                            choices={settings.offer.aspect_ratios.map((choice) => ({ ...choice, shape: choice.value }))}
                        />
                        <Chips
                            legend="Resolution"
                            name={`${id}-resolution`}
                            value={settings.resolution}
                            onChange={settings.setResolution}
                            choices={settings.offer.resolutions.map((choice) => ({
                                ...choice,
                                detail: expectation(choice, isFree),
                            }))}
                        />
                        {data.models.length > 1 && (
                            <Field label="Model">
                                {(props) => (
                                    <select
                                        {...props}
                                        className="input select"
                                        value={settings.model}
                                        onChange={(event) => settings.setModel(event.target.value)}
                                    >
                                        {data.models.map((model) => (
                                            <option key={model.value} value={model.value}>
                                                {model.label}
                                            </option>
                                        ))}
                                    </select>
                                )}
                            </Field>
                        )}
                    </>
                )}
                <PromptPreview identityId={chosen?.id ?? null} additionalPrompt={settings.prompt} />
                <div className="generate">
                    <Button
                        tone="primary"
                        icon={<Icon name="sparkle" />}
                        className="generate-button"
                        aria-disabled={!isReady || undefined}
                        aria-describedby={`${id}-why`}
                        onClick={submit}
                    >
                        Generate image{expected && <span className="generate-cost"> {expected}</span>}
                    </Button>
                    <p className="hint" id={`${id}-why`}>
                        {why ?? (
                            <>
                                Uses {settings.chosen.length === 1 ? '1 photo' : `${settings.chosen.length} photos`}.{' '}
                                <kbd>Ctrl</kbd>+<kbd>Enter</kbd> to generate.
                            </>
                        )}
                    </p>
                    {isFree && (
                        <p className="hint">This server has no image provider. It creates a marked preview poster.</p>
                    )}
                </div>
                {jobs.sending
                    .filter((one) => one.error)
                    .map((one) => (
                        <div key={one.key} className="notice notice-error" role="alert">
                            <Icon name="warning" />
                            <div className="notice-body">
                                <p className="notice-title">Generation did not start.</p>
                                <p>{sentence(one.error)}</p>
                            </div>
                            <div className="row">
                                <Button size="small" onClick={() => jobs.retry(one)}>
                                    Try again
                                </Button>
                                <Button size="small" tone="quiet" onClick={() => jobs.dismiss(one)}>
                                    Close
                                </Button>
                            </div>
                        </div>
                    ))}
            </div>
        </section>
    );
}

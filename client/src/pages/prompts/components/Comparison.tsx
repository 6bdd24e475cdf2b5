// Comparison.tsx - differences between two versions.
import { lazy, Suspense, useState } from 'react';
import type { Prompt } from '../../../api/types';
import { EmptyState } from '../../../components/EmptyState';
import { Field } from '../../../components/Field';
import { Select } from '../../../components/Select';
import { Skeleton } from '../../../components/Skeleton';
import { usedOf } from '../hooks/use-prompts';

const Differences = lazy(() => import('./Differences'));

function nameOf(version: Prompt, versions: readonly Prompt[]): string {
    return `Version ${version.version}${usedOf(versions)?.id === version.id ? ' (live)' : ''}`;
}

// By default compare with the previous version, or the first version with the second.
function firstChoice(prompt: Prompt, others: readonly Prompt[]): Prompt | undefined {
    return others.find((one) => one.version < prompt.version) ?? others.at(-1);
}

export function Comparison({ prompt, versions }: { prompt: Prompt; versions: readonly Prompt[] }) {
    const others = versions.filter((one) => one.id !== prompt.id);
    const [chosen, choose] = useState(firstChoice(prompt, others)?.id);
    const other = others.find((one) => one.id === chosen);

    if (!other) {
        return (
            <EmptyState icon="compare" title="No other version yet">
                <p>Create a second version to compare them here.</p>
            </EmptyState>
        );
    }
    // Always compare the older version with the newer one.
    const [before, after] = other.version < prompt.version ? [other, prompt] : [prompt, other];

    return (
        <div className="stack">
            <Field label={`Compare version ${prompt.version} with`}>
                {(props) => (
                    <Select
                        {...props}
                        className="prompts-select"
                        value={other.id}
                        onChange={(event) => choose(event.target.value)}
                    >
                        {others.map((one) => (
                            <option key={one.id} value={one.id}>
                                {nameOf(one, versions)}
                            </option>
                        ))}
                    </Select>
                )}
            </Field>
            <Suspense fallback={<Skeleton className="prompts-skeleton-text" />}>
                <Differences
                    before={before.body}
                    after={after.body}
                    from={`Version ${before.version}`}
                    to={`version ${after.version}`}
                />
            </Suspense>
        </div>
    );
}

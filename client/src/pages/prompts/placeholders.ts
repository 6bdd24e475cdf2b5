// placeholders.ts - client-side validation of a prompt's text. The rules are those of
// services/generator/prompt_template.c. The server validates again when a version is saved.
import type { Prompt } from '../../api/types';

export type PromptType = Prompt['prompt_type'];

/** Required placeholders of image generation prompts. No others are allowed. */
export const placeholders = ['identity_context', 'additional_prompt'] as const;

export const MAX_BODY = 100_000; // characters
const QUOTED = 60; // maximum number of characters of a quoted name
const NAME = /\{([A-Za-z_][A-Za-z_0-9.]*)\}/y;

export interface Placeholder {
    name: string;
    /** Offset of its opening brace. */
    start: number;
    end: number;
    isKnown: boolean;
}

/** Every {word} of a text that is not escaped by doubled braces. */
export function findPlaceholders(body: string): Placeholder[] {
    const found: Placeholder[] = [];
    let at = 0;

    while (at < body.length) {
        NAME.lastIndex = at;
        const match = NAME.exec(body);

        if (match) {
            const name = match[1]!;

            found.push({ name, start: at, end: NAME.lastIndex, isKnown: placeholders.some((one) => one === name) });
            at = NAME.lastIndex;
        } else {
            at += (body[at] === '{' || body[at] === '}') && body[at + 1] === body[at] ? 2 : 1;
        }
    }
    return found;
}

export interface Problem {
    sentence: string;
    /** The affected part of the text, if any. */
    place: Placeholder | null;
}

const inBraces = (names: readonly string[]) => names.map((name) => `{${name}}`).join(', ');

function unknown(place: Placeholder): Problem {
    const characters = [...place.name];
    const name = characters.length > QUOTED ? `${characters.slice(0, QUOTED).join('')}...` : place.name;

    return {
        place,
        sentence: `{${name}} is not a placeholder. Allowed: ${inBraces(placeholders)}. Double the braces to keep them literally.`,
    };
}

/** Length in Unicode characters, as the server counts. */
export function lengthOf(body: string): number {
    let length = 0;

    for (const _ of body) {
        length++;
    }
    return length;
}

function problemsOfAny(body: string): Problem[] {
    if (!body.trim()) {
        return [{ place: null, sentence: 'This field may not be blank.' }];
    }
    return lengthOf(body) > MAX_BODY
        ? [{ place: null, sentence: `Ensure this field has no more than ${MAX_BODY} characters.` }]
        : [];
}

/** All problems that prevent saving. The server reports only the first. */
export function problemsOf(type: PromptType, body: string): Problem[] {
    const problems = problemsOfAny(body);

    if (problems.length || type !== 'image_generation') {
        return problems;
    }
    const found = findPlaceholders(body);
    const missing = placeholders.filter((name) => !found.some((one) => one.name === name));

    return [
        ...found.filter((one) => !one.isKnown).map(unknown),
        ...(missing.length
            ? [{ place: null, sentence: `Required placeholders are missing: ${inBraces(missing)}.` }]
            : []),
    ];
}

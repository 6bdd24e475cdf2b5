// drafts.ts - the version that is being written, for each type: kept through a reload until it is saved or thrown away.
import type { PromptType } from './placeholders';

export interface Draft {
    /** The number of the version that it began as; 0: none. */
    from: number;
    /** The newest version there was when it was begun. */
    newest: number;
    body: string;
    isActive: boolean;
    contextKeys: string[];
}

// The prefix of session/drafts.ts, which forgets them all when somebody logs out.
const name = (type: PromptType) => `identityimg.draft.prompt.${type}`;

export function readDraft(type: PromptType): Draft | null {
    try {
        return JSON.parse(sessionStorage.getItem(name(type)) ?? 'null') as Draft | null;
    } catch {
        return null;
    }
}

export function keepDraft(type: PromptType, draft: Draft | null): void {
    try {
        if (draft) {
            sessionStorage.setItem(name(type), JSON.stringify(draft));
        } else {
            sessionStorage.removeItem(name(type));
        }
    } catch {
        // A full or forbidden store only costs the draft after a reload.
    }
}

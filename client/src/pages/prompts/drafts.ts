// drafts.ts - the draft of each type, stored in the tab until it is saved or discarded.
import type { PromptType } from './placeholders';

export interface Draft {
    /** Number of the version that the draft is based on; 0: none. */
    from: number;
    /** The newest version at the start of the draft. */
    newest: number;
    body: string;
    isActive: boolean;
    contextKeys: string[];
}

// The prefix of session/drafts.ts, which deletes all drafts on logout.
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
        // If storage is full or unavailable, only a reload loses the draft.
    }
}

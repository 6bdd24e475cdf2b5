// differences.ts - a diff of two texts: by lines, and by words within changed lines.
import { diffLines, diffWordsWithSpace } from 'diff';

export interface Piece {
    text: string;
    isChanged: boolean;
}

export interface DiffLine {
    kind: 'same' | 'removed' | 'added';
    pieces: Piece[];
}

const TIMEOUT = 500; // milliseconds for one comparison; after that the result is coarser

function linesOf(text: string): string[] {
    const lines = text.split('\n');

    if (lines.at(-1) === '') {
        lines.pop();
    }
    return lines;
}

function wholeLines(kind: DiffLine['kind'], text: string): DiffLine[] {
    return linesOf(text).map((line) => ({ kind, pieces: line ? [{ text: line, isChanged: false }] : [] }));
}

// Splits pieces at line ends.
function cut(kind: DiffLine['kind'], pieces: readonly Piece[]): DiffLine[] {
    const lines: Piece[][] = [[]];

    for (const { text, isChanged } of pieces) {
        text.split('\n').forEach((part, index) => {
            if (index > 0) {
                lines.push([]);
            }
            if (part) {
                lines.at(-1)!.push({ text: part, isChanged });
            }
        });
    }
    if (!lines.at(-1)!.length) {
        lines.pop();
    }
    return lines.map((line) => ({ kind, pieces: line }));
}

// A block of lines that was replaced by another one.
function replaced(before: string, after: string): DiffLine[] {
    const words = diffWordsWithSpace(before, after, { timeout: TIMEOUT });

    if (!words || words.every((word) => word.added || word.removed || !word.value.trim())) {
        return [...wholeLines('removed', before), ...wholeLines('added', after)];
    }
    return [
        ...cut(
            'removed',
            words.filter((word) => !word.added).map((word) => ({ text: word.value, isChanged: word.removed })),
        ),
        ...cut(
            'added',
            words.filter((word) => !word.removed).map((word) => ({ text: word.value, isChanged: word.added })),
        ),
    ];
}

/** The lines of both texts in one list. A final line end is ignored. */
export function compare(before: string, after: string): DiffLine[] {
    const ended = (text: string) => (text.endsWith('\n') ? text : `${text}\n`);
    const changes = diffLines(ended(before), ended(after), { timeout: TIMEOUT }) ?? [
        { value: before, removed: true, added: false, count: 1 },
        { value: after, removed: false, added: true, count: 1 },
    ];
    const lines: DiffLine[] = [];

    for (let i = 0; i < changes.length; i++) {
        const change = changes[i]!,
            next = changes[i + 1];

        if (change.removed && next?.added) {
            lines.push(...replaced(change.value, next.value));
            i++;
        } else {
            lines.push(...wholeLines(change.removed ? 'removed' : change.added ? 'added' : 'same', change.value));
        }
    }
    return lines;
}

export type DiffBlock = { kind: 'lines'; lines: DiffLine[] } | { kind: 'hidden'; lines: DiffLine[] };

const CONTEXT = 3; // unchanged lines shown around a change
const WORTH_HIDING = 4; // fewer lines are always shown

/** Runs of visible lines, and hidden runs of unchanged lines far from any change. */
export function blocksOf(lines: readonly DiffLine[]): DiffBlock[] {
    const isNear = lines.map(() => false);

    lines.forEach((line, at) => {
        if (line.kind !== 'same') {
            isNear.fill(true, Math.max(0, at - CONTEXT), at + CONTEXT + 1);
        }
    });
    const blocks: DiffBlock[] = [];

    for (let from = 0; from < lines.length;) {
        let to = from;

        while (to < lines.length && isNear[to] === isNear[from]) {
            to++;
        }
        const hide = !isNear[from] && to - from >= WORTH_HIDING;

        blocks.push({ kind: hide ? 'hidden' : 'lines', lines: lines.slice(from, to) });
        from = to;
    }
    return blocks;
}

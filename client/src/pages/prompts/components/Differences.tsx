// Differences.tsx - a line diff with changed words marked.
import { useMemo, useState } from 'react';
import { blocksOf, compare } from '../differences';
import type { DiffBlock, DiffLine } from '../differences';

interface DifferencesProps {
    before: string;
    after: string;
    /** Names of the texts, for sentences. */
    from: string;
    to: string;
}

const signs = { same: ' ', removed: '−', added: '+' } as const;
const words = { same: '', removed: 'removed: ', added: 'added: ' } as const;

function Line({ line }: { line: DiffLine }) {
    const Tag = line.kind === 'removed' ? 'del' : line.kind === 'added' ? 'ins' : 'span';

    return (
        <div className={`diff-line diff-${line.kind}`}>
            <span className="diff-sign" aria-hidden="true">
                {signs[line.kind]}
            </span>
            <Tag className="diff-text">
                {words[line.kind] && <span className="visually-hidden">{words[line.kind]}</span>}
                {line.pieces.length
                    ? line.pieces.map((piece, index) =>
                          piece.isChanged ? (
                              <span key={index} className="diff-word">
                                  {piece.text}
                              </span>
                          ) : (
                              piece.text
                          ),
                      )
                    : '\u200b'}
            </Tag>
        </div>
    );
}

function Block({ block }: { block: DiffBlock }) {
    const [isOpen, setOpen] = useState(false);

    if (block.kind === 'hidden' && !isOpen) {
        return (
            <button type="button" className="diff-hidden" onClick={() => setOpen(true)}>
                {block.lines.length} unchanged lines
            </button>
        );
    }
    return block.lines.map((line, index) => <Line key={index} line={line} />);
}

function counted(count: number, what: string): string {
    return `${count} ${count === 1 ? 'line' : 'lines'} ${what}`;
}

export default function Differences({ before, after, from, to }: DifferencesProps) {
    const lines = useMemo(() => compare(before, after), [before, after]);
    const added = lines.filter((line) => line.kind === 'added').length;
    const removed = lines.filter((line) => line.kind === 'removed').length;

    if (!added && !removed) {
        return (
            <p className="notice" role="status">
                {from} and {to} are identical.
            </p>
        );
    }
    return (
        <div className="stack">
            <p className="hint" role="status">
                From {from.toLowerCase()} to {to}: {counted(added, 'added')}, {counted(removed, 'removed')}.
            </p>
            <div
                className="diff"
                tabIndex={0}
                role="region"
                aria-label={`Differences from ${from.toLowerCase()} to ${to}`}
            >
                {blocksOf(lines).map((block, index) => (
                    <Block key={index} block={block} />
                ))}
            </div>
        </div>
    );
}

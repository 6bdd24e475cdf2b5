// PlaceholderCheck.tsx - placeholders and problems of a text, updated while the user types.
import { Button } from '../../../components/Button';
import { Icon } from '../../../components/Icon';
import { useDebounced } from '../../../components/useDebounced';
import { findPlaceholders, placeholders, problemsOf } from '../placeholders';
import type { Problem } from '../placeholders';

const REST = 600; // debounce in milliseconds before screen readers read the problems

function Placeholders({ body, onInsert }: { body: string; onInsert: (name: string) => void }) {
    const found = new Set(findPlaceholders(body).map((one) => one.name));

    return (
        <div className="prompts-chips" role="group" aria-label="Placeholders">
            {placeholders.map((name) => (
                <button
                    key={name}
                    type="button"
                    className={`prompts-chip ${found.has(name) ? 'prompts-chip-there' : ''}`}
                    onClick={() => onInsert(`{${name}}`)}
                    aria-label={`Insert {${name}}, which ${found.has(name) ? 'is there' : 'is missing'}`}
                    title="Insert"
                >
                    <Icon name={found.has(name) ? 'check' : 'plus'} size={16} />
                    <code>{`{${name}}`}</code>
                </button>
            ))}
        </div>
    );
}

function Problems({ problems, onShow }: { problems: readonly Problem[]; onShow: (problem: Problem) => void }) {
    const settled = useDebounced(problems.map((problem) => problem.sentence).join(' '), REST);

    return (
        <>
            <p className="visually-hidden" role="status">
                {settled || 'All placeholders are valid.'}
            </p>
            {problems.length ? (
                <ul className="prompts-problems" aria-label="Problems with the text">
                    {problems.map((problem, index) => (
                        <li key={index} className="notice notice-warning">
                            <Icon name="warning" size={18} />
                            <span className="notice-body">{problem.sentence}</span>
                            {problem.place && (
                                <Button size="small" onClick={() => onShow(problem)}>
                                    Show where
                                </Button>
                            )}
                        </li>
                    ))}
                </ul>
            ) : (
                <p className="prompts-fine">
                    <Icon name="check" size={18} />
                    All placeholders are valid.
                </p>
            )}
        </>
    );
}

interface PlaceholderCheckProps {
    body: string;
    onInsert: (text: string) => void;
    onShow: (problem: Problem) => void;
}

export function PlaceholderCheck({ body, onInsert, onShow }: PlaceholderCheckProps) {
    return (
        <>
            <Placeholders body={body} onInsert={onInsert} />
            <Problems problems={problemsOf('image_generation', body)} onShow={onShow} />
        </>
    );
}

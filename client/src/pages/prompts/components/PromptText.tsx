// PromptText.tsx - the text of a version, with marked placeholders.
import type { ReactNode } from 'react';
import { findPlaceholders } from '../placeholders';
import type { PromptType } from '../placeholders';

interface PromptTextProps {
    body: string;
    type: PromptType;
    contextKeys: readonly string[];
}

// Other types have placeholder rules of their own.
function marked(body: string, type: PromptType): ReactNode[] {
    const pieces: ReactNode[] = [];
    let from = 0;

    for (const { start, end, isKnown } of type === 'image_generation' ? findPlaceholders(body) : []) {
        pieces.push(
            body.slice(from, start),
            <span
                key={start}
                className={isKnown ? 'prompts-placeholder' : 'prompts-placeholder prompts-placeholder-unknown'}
            >
                {body.slice(start, end)}
            </span>,
        );
        from = end;
    }
    return [...pieces, body.slice(from)];
}

export function PromptText({ body, type, contextKeys }: PromptTextProps) {
    return (
        <>
            <pre className="prompts-text" tabIndex={0} role="region" aria-label="Text">
                {marked(body, type)}
            </pre>
            {contextKeys.length > 0 && (
                <p className="hint">
                    Needs:{' '}
                    {contextKeys.map((key, index) => (
                        <span key={key}>
                            {index > 0 && ', '}
                            <code>{key}</code>
                        </span>
                    ))}
                </p>
            )}
        </>
    );
}

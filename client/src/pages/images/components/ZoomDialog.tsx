// ZoomDialog.tsx - a generated picture in full window size, fitted or at 100 %.
import { useRef, useState } from 'react';
import type { PointerEvent } from 'react';
import { keys } from '../../../api/queryKeys';
import type { GenerationJob } from '../../../api/types';
import { Button } from '../../../components/Button';
import { Dialog } from '../../../components/Dialog';
import { PictureImage } from '../../../components/PictureImage';

export default function ZoomDialog({ job, alt, onClose }: { job: GenerationJob; alt: string; onClose: () => void }) {
    const [whole, setWhole] = useState(true);
    const pane = useRef<HTMLDivElement>(null);
    const from = useRef<{ x: number; y: number } | null>(null);

    // Dragging with the mouse scrolls.
    function drag(event: PointerEvent): void {
        if (from.current && pane.current) {
            pane.current.scrollBy(from.current.x - event.clientX, from.current.y - event.clientY);
            from.current = { x: event.clientX, y: event.clientY };
        }
    }

    return (
        <Dialog open size="full" title={whole ? 'Picture' : 'Picture at 100 %'} onClose={onClose}>
            <div className="zoom">
                <div className="row">
                    <Button size="small" aria-pressed={whole} onClick={() => setWhole(true)}>
                        Fit
                    </Button>
                    <Button size="small" aria-pressed={!whole} onClick={() => setWhole(false)}>
                        100 %
                    </Button>
                    {job.width && (
                        <span className="hint">
                            {job.width} × {job.height} pixels
                        </span>
                    )}
                </div>
                <div
                    ref={pane}
                    className={`zoom-pane ${whole ? 'zoom-fit' : 'zoom-full'}`}
                    tabIndex={0}
                    role="region"
                    aria-label="Picture. Scroll with the arrow keys."
                    onPointerDown={(event) => {
                        if (event.pointerType === 'mouse' && !whole) {
                            from.current = { x: event.clientX, y: event.clientY };
                        }
                    }}
                    onPointerMove={drag}
                    onPointerUp={() => {
                        from.current = null;
                    }}
                    onPointerLeave={() => {
                        from.current = null;
                    }}
                >
                    <PictureImage
                        src={job.image_url!}
                        alt={alt}
                        stale={keys.job(job.id)}
                        width={job.width ?? undefined}
                        height={job.height ?? undefined}
                    />
                </div>
            </div>
        </Dialog>
    );
}

// PictureImage.tsx - a picture of the API. Its address expires: then the list that it came from is asked for again.
import { useRef, useState } from 'react';
import type { ImgHTMLAttributes } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import type { QueryKey } from '@tanstack/react-query';
import { Icon } from './Icon';

interface PictureImageProps extends ImgHTMLAttributes<HTMLImageElement> {
    src: string;
    alt: string;
    /** What is to be asked for again when the address is no longer good. */
    stale: QueryKey;
}

export function PictureImage({ src, alt, stale, className = '', ...rest }: PictureImageProps) {
    const client = useQueryClient();
    const [broken, setBroken] = useState<string | null>(null);
    const asked = useRef<string | null>(null);

    async function renew(): Promise<void> {
        // Once an address: a picture that cannot be had at all must not ask for ever.
        if (asked.current !== src) {
            asked.current = src;
            await client.invalidateQueries({ queryKey: stale });
        }
        setBroken(src);
    }

    if (broken === src) {
        return (
            <span className={`picture-broken ${className}`} role="img" aria-label={alt}>
                <Icon name="picture" size={28} />
            </span>
        );
    }
    return (
        <img
            {...rest}
            src={src}
            alt={alt}
            className={className}
            decoding="async"
            draggable={false}
            onError={() => void renew()}
        />
    );
}

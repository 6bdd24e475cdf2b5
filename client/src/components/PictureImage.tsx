// PictureImage.tsx - a picture of the API. When its address expires, its list is fetched again.
import { useRef, useState } from 'react';
import type { ImgHTMLAttributes } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import type { QueryKey } from '@tanstack/react-query';
import { Icon } from './Icon';

interface PictureImageProps extends ImgHTMLAttributes<HTMLImageElement> {
    src: string;
    alt: string;
    /** Query to refetch when the address has expired. */
    stale: QueryKey;
}

export function PictureImage({ src, alt, stale, className = '', ...rest }: PictureImageProps) {
    const client = useQueryClient();
    const [broken, setBroken] = useState<string | null>(null);
    const asked = useRef<string | null>(null);

    async function renew(): Promise<void> {
        // Refetch once per address, so that a missing picture causes no endless requests.
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

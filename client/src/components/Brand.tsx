// Brand.tsx - logo and product name.
export function Brand() {
    return (
        <span className="brand">
            <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
                <rect className="brand-tile" width="32" height="32" rx="8" />
                <circle cx="16" cy="13" r="5" fill="#fff" />
                <path d="M6.500 26a9.500 9.500 0 0 1 19 0z" fill="#fff" />
            </svg>
            <span className="brand-name">Identity Images</span>
        </span>
    );
}

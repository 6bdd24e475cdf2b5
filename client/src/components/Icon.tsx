// Icon.tsx - icons. They are decorative: text beside them or a label carries the meaning.
const paths = {
    plus: 'M12 5v14M5 12h14',
    upload: 'M12 16V4m0 0L7 9m5-5 5 5M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3',
    download: 'M12 4v12m0 0 5-5m-5 5-5-5M4 19h16',
    replace: 'M4 12a8 8 0 0 1 13.700-5.600L20 9M20 4v5h-5M20 12a8 8 0 0 1-13.700 5.600L4 15M4 20v-5h5',
    trash: 'M4 7h16M10 11v6M14 11v6M6 7l1 12a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1l1-12M9 7V4h6v3',
    left: 'M14 6l-6 6 6 6',
    right: 'M10 6l6 6-6 6',
    down: 'M6 10l6 6 6-6',
    close: 'M6 6l12 12M18 6 6 18',
    check: 'M5 12.500l5 5L19 7',
    warning: 'M12 4 2.500 20h19zM12 10v4M12 17v.5',
    info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 8v.5',
    sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2M12 20v2M4 12H2M22 12h-2M5 5l1.500 1.500M17.500 17.500 19 19M19 5l-1.500 1.500M6.500 17.500 5 19',
    moon: 'M20 14a8 8 0 0 1-10-10 8 8 0 1 0 10 10z',
    screen: 'M3 5h18v11H3zM9 20h6M12 16v4',
    leave: 'M14 4h5v16h-5M10 8l-4 4 4 4M6 12h10',
    picture: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9.500v.01',
    sparkle:
        'M12 3l1.800 5.200L19 10l-5.200 1.800L12 17l-1.800-5.200L5 10l5.200-1.800zM19 16l.8 2.200L22 19l-2.200.8L19 22l-.8-2.200L16 19l2.200-.8z',
    zoom: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5M11 8v6M8 11h6',
    undo: 'M8 5 4 9l4 4M4 9h10a6 6 0 0 1 0 12h-3',
    compare: 'M12 3v18M4 6h5v12H4zM15 6h5v12h-5z',
    people: 'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20a6.500 6.500 0 0 1 13 0M16 4.500a3.500 3.500 0 0 1 0 6M18 14a6.500 6.500 0 0 1 3.500 6',
    text: 'M5 6h14M5 10h14M5 14h9M5 18h6',
    search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5',
    clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2',
    more: 'M6 12a1 1 0 1 1-2 0 1 1 0 0 1 2 0zM13 12a1 1 0 1 1-2 0 1 1 0 0 1 2 0zM20 12a1 1 0 1 1-2 0 1 1 0 0 1 2 0z',
    edit: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
    key: 'M11.500 12.500a4.500 4.500 0 1 1-6.400 0 4.500 4.500 0 0 1 6.400 0zM11.500 12.500 20 4M16 8l3 3',
    user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21a8 8 0 0 1 16 0',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
    return (
        <svg
            className="icon"
            width={size}
            height={size}
            viewBox="0 0 24 24"
            fill="none"
            stroke="currentColor"
            strokeWidth="1.75"
            strokeLinecap="round"
            strokeLinejoin="round"
            aria-hidden="true"
            focusable="false"
        >
            <path d={paths[name]} />
        </svg>
    );
}

/** A spinner. Text beside it describes the operation. */
export function Spinner({ size = 18 }: { size?: number }) {
    return (
        <svg
            className="spinner"
            width={size}
            height={size}
            viewBox="0 0 24 24"
            fill="none"
            stroke="currentColor"
            strokeWidth="3"
            aria-hidden="true"
            focusable="false"
        >
            <circle cx="12" cy="12" r="9" opacity=".25" />
            <path d="M21 12a9 9 0 0 0-9-9" strokeLinecap="round" />
        </svg>
    );
}

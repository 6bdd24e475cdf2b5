// RowList.tsx - a list with its search, filters, empty states, and more of it by and by.
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query';
import type { Page } from '../../../api/admin';
import { Button } from '../../../components/Button';
import { EmptyState } from '../../../components/EmptyState';
import { ErrorNotice } from '../../../components/ErrorNotice';
import { Field } from '../../../components/Field';
import { Icon } from '../../../components/Icon';
import type { IconName } from '../../../components/Icon';
import { Select } from '../../../components/Select';
import { Skeleton } from '../../../components/Skeleton';
import { useDebounced } from '../../../components/useDebounced';
import { useKeepFocus } from '../../../components/useKeepFocus';

const REST = 300; // debounce in milliseconds before the server is asked
const MAX_SEARCH = 100; // characters

/** A field to search in, that tells what was typed once it has come to rest. */
export function SearchField({
    label,
    value,
    onChange,
}: {
    label: string;
    value: string;
    onChange: (words: string) => void;
}) {
    const [typed, setTyped] = useState(value);
    const settled = useDebounced(typed, REST);

    useEffect(() => {
        if (settled !== value) {
            onChange(settled);
        }
        // eslint-disable-next-line react-hooks/exhaustive-deps -- the address follows only what was typed
    }, [settled]);
    useEffect(() => {
        if (value !== settled) {
            setTyped(value);
        }
        // eslint-disable-next-line react-hooks/exhaustive-deps -- the box follows only changes from elsewhere
    }, [value]);
    return (
        <div className="toolbar-search">
            <Field label={label}>
                {(props) => (
                    <span className="search-box">
                        <Icon name="search" size={18} />
                        <input
                            {...props}
                            className="input"
                            type="search"
                            maxLength={MAX_SEARCH}
                            value={typed}
                            onChange={(event) => setTyped(event.target.value)}
                        />
                    </span>
                )}
            </Field>
        </div>
    );
}

interface SelectFieldProps {
    label: string;
    value: string;
    options: readonly { value: string; label: string }[];
    onChange: (value: string) => void;
}

export function FilterField({ label, value, options, onChange }: SelectFieldProps) {
    return (
        <div className="toolbar-filter">
            <Field label={label}>
                {(props) => (
                    <Select {...props} value={value} onChange={(event) => onChange(event.target.value)}>
                        {options.map((option) => (
                            <option key={option.value} value={option.value}>
                                {option.label}
                            </option>
                        ))}
                    </Select>
                )}
            </Field>
        </div>
    );
}

interface RowListProps<T> {
    label: string;
    rows: UseInfiniteQueryResult<InfiniteData<Page<T>>>;
    /** "users": for sentences. */
    nouns: string;
    isFiltered: boolean;
    onClearFilter: () => void;
    icon: IconName;
    /** Hint for an empty list. */
    empty: ReactNode;
    className?: string;
    skeleton: string;
    children: (row: T) => ReactNode;
}

function counted(count: number, nouns: string, isMore: boolean): string {
    return `${count} ${nouns} shown${isMore ? ', more available' : ''}`;
}

export function RowList<T>({
    label,
    rows,
    nouns,
    isFiltered,
    onClearFilter,
    icon,
    empty,
    className = '',
    skeleton,
    children,
}: RowListProps<T>) {
    const list = rows.data?.pages.flatMap((page) => page.results);
    const count = list?.length ?? 0;
    const before = useRef(count);
    // With a row that goes, to the list; with the last page, to the first row that has come.
    const around = useKeepFocus<HTMLDivElement>(count, (element) => {
        const all = element.querySelector<HTMLElement>('.list');
        const row = all?.children[before.current];

        if (row instanceof HTMLElement) {
            row.tabIndex = -1;
            return row;
        }
        return all ?? document.getElementById('main');
    });

    useEffect(() => {
        before.current = count;
    }, [count]);

    if (rows.error && !list) {
        return <ErrorNotice error={rows.error} onRetry={() => void rows.refetch()} />;
    }
    if (!list) {
        return (
            <div className={`list ${className}`} aria-busy="true">
                {[1, 2, 3, 4].map((one) => (
                    <Skeleton key={one} className={skeleton} />
                ))}
            </div>
        );
    }
    return (
        <div ref={around}>
            <p className="visually-hidden" role="status">
                {!rows.isPlaceholderData && counted(list.length, nouns, rows.hasNextPage)}
            </p>
            {list.length === 0 &&
                (isFiltered ? (
                    <EmptyState icon="search" title={`No ${nouns} match.`}>
                        <p>Try other words, or show all.</p>
                        <Button onClick={onClearFilter}>Show all {nouns}</Button>
                    </EmptyState>
                ) : (
                    <EmptyState icon={icon} title={`There are no ${nouns} yet.`}>
                        {empty}
                    </EmptyState>
                ))}
            {list.length > 0 && (
                <ul
                    tabIndex={-1}
                    className={`list ${className} ${rows.isPlaceholderData ? 'admin-list-old' : ''}`}
                    aria-label={label}
                >
                    {list.map((row) => children(row))}
                </ul>
            )}
            {rows.isFetchNextPageError && <ErrorNotice error={rows.error} title="Couldn't load more rows." />}
            {rows.hasNextPage && (
                <div className="list-more">
                    <Button busy={rows.isFetchingNextPage} onClick={() => void rows.fetchNextPage()}>
                        Show more {nouns}
                    </Button>
                </div>
            )}
        </div>
    );
}

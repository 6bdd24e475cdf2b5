// use-place.ts - tab and filters in the address.
import { useSearchParams } from 'wouter';
import type { Filter } from '../../../api/admin';

export interface Place {
    tab: string;
    get: (name: string) => string;
    /** Sets a filter of this tab; an empty value removes it. */
    filter: (name: string, value: string) => void;
    clear: () => void;
    /** Opens another tab, with or without filters. */
    go: (tab: string, filter?: Filter) => void;
    isFiltered: boolean;
}

export function usePlace(): Place {
    const [search, setSearch] = useSearchParams();
    const tab = search.get('tab') ?? 'users';

    return {
        tab,
        get: (name) => search.get(name) ?? '',
        filter: (name, value) =>
            setSearch(
                (before) => {
                    if (value) {
                        before.set(name, value);
                    } else {
                        before.delete(name);
                    }
                    return before;
                },
                { replace: true },
            ),
        clear: () => setSearch({ tab }),
        go: (to, filter = {}) => setSearch({ tab: to, ...filter }),
        isFiltered: [...search.keys()].some((name) => name !== 'tab'),
    };
}

// use-place.ts - what the address says is shown: which tab, and what is searched for in it.
import { useSearchParams } from 'wouter';
import type { Filter } from '../../../api/admin';

export interface Place {
    tab: string;
    get: (name: string) => string;
    /** Narrows the list of this tab; an empty value ends that. */
    filter: (name: string, value: string) => void;
    clear: () => void;
    /** To another tab, narrowed or not. */
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

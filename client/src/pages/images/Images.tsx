// Images.tsx - the Images page: a user's photos, an identity, and generated pictures.
import { useDeferredValue, useEffect, useMemo } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import type { AvailableUser, GenerationJob } from '../../api/types';
import { ErrorNotice } from '../../components/ErrorNotice';
import { PageHeader } from '../../components/PageHeader';
import { Skeleton } from '../../components/Skeleton';
import { useIdle } from '../../components/useIdle';
import { GenerationForm } from './components/GenerationForm';
import { History } from './components/History';
import { ReferenceImageManager } from './components/ReferenceImageManager';
import { Results } from './components/Results';
import { UserSelector } from './components/UserSelector';
import { useJobs, useOptions, useUsers } from './hooks/use-image-generation';
import { useReferenceImages } from './hooks/use-reference-images';
import { useSettings } from './settings';
import './images.css';

// The selected user is part of the address, so that a reload, a bookmark or a second tab shows the same.
function useChosenUser(users: readonly AvailableUser[] | undefined): [AvailableUser | undefined, (id: string) => void] {
    const [search, setSearch] = useSearchParams();
    const wanted = search.get('user');
    const chosen = users?.find((user) => user.id === wanted) ?? users?.[0];

    return [chosen, (id) => setSearch({ user: id }, { replace: true })];
}

function useChosenIdentity(): [string | null, (id: string) => void] {
    const [search, setSearch] = useSearchParams();

    return [
        search.get('identity'),
        (id) =>
            setSearch(
                (before) => {
                    before.set('identity', id);
                    return before;
                },
                { replace: true },
            ),
    ];
}

function ColumnsSkeleton() {
    return (
        <div className="images-columns">
            <Skeleton className="images-skeleton-form" />
            <Skeleton className="images-skeleton-result" />
        </div>
    );
}

function Workplace({ user }: { user: AvailableUser }) {
    const options = useOptions();
    const photos = useReferenceImages(user.id);
    const settings = useSettings(user.id, options.data, photos.data);
    const [identityId, setIdentity] = useChosenIdentity();
    const jobs = useJobs();
    // Render the photos first, then the form, then the rest.
    const isDrawn = useDeferredValue(true, false);
    const isIdle = useIdle();

    function useAgain(job: GenerationJob): void {
        settings.take(job);
        if (job.identity && job.user === user.id) {
            setIdentity(job.identity);
        }
        document.getElementById('settings')?.scrollIntoView({ block: 'start' });
        document.querySelector<HTMLElement>('[data-field=additional-prompt]')?.focus({ preventScroll: true });
    }

    return (
        <>
            <ReferenceImageManager user={user} photos={photos} limits={options.data?.limits} settings={settings} />
            {isDrawn ? (
                <div className="images-columns">
                    <GenerationForm
                        user={user}
                        photos={photos.data}
                        options={options}
                        settings={settings}
                        jobs={jobs}
                        identityId={identityId}
                        onIdentity={setIdentity}
                    />
                    <Results jobs={jobs} photos={photos.data ?? []} options={options.data} onUseAgain={useAgain} />
                </div>
            ) : (
                <ColumnsSkeleton />
            )}
            {isIdle ? (
                <History user={user} jobs={jobs} onUseAgain={useAgain} />
            ) : (
                <div className="card images-history">
                    <Skeleton className="history-skeleton" />
                </div>
            )}
        </>
    );
}

function WorkplaceSkeleton() {
    return (
        <>
            <div className="card images-photos">
                <Skeleton className="images-skeleton-slots" />
            </div>
            <ColumnsSkeleton />
        </>
    );
}

export default function Images() {
    const users = useUsers();
    const [user, setUser] = useChosenUser(users.data);
    const [, navigate] = useLocation();
    const known = useMemo(() => users.data ?? [], [users.data]);

    // Remove a deleted user from the address.
    useEffect(() => {
        const wanted = new URLSearchParams(location.search).get('user');

        if (users.data && wanted && !users.data.some((one) => one.id === wanted)) {
            navigate('/images', { replace: true });
        }
    }, [users.data, navigate]);

    return (
        <div className="page">
            <PageHeader title="Images">
                <div className="images-user">
                    <UserSelector
                        users={known}
                        value={user?.id ?? null}
                        onChange={setUser}
                        isLoading={users.isPending}
                    />
                </div>
            </PageHeader>
            {users.error && !users.data && <ErrorNotice error={users.error} onRetry={() => void users.refetch()} />}
            {users.isPending && <WorkplaceSkeleton />}
            {user && <Workplace key={user.id} user={user} />}
        </div>
    );
}

// Layout.tsx - frame of each page: skip link, navigation bar, connection notices.
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { routes } from '../routes';
import { useSession } from '../session/SessionProvider';
import { Brand } from './Brand';
import { Button } from './Button';
import { Icon } from './Icon';
import { OfflineNotice } from './OfflineNotice';
import { ThemeSwitch } from './ThemeSwitch';

function NavLink({ path, label, onIntent }: { path: string; label: string; onIntent: () => void }) {
    const [current] = useLocation();

    return (
        <Link
            href={path}
            className="nav-link"
            aria-current={current === path ? 'page' : undefined}
            onPointerEnter={onIntent}
            onFocus={onIntent}
        >
            {label}
        </Link>
    );
}

function Navbar() {
    const { user, logOut } = useSession();

    return (
        <header className="navbar">
            <div className="navbar-inner">
                <Link href="/" className="navbar-brand" aria-label="Identity Images, home">
                    <Brand />
                </Link>
                <nav className="navbar-links" aria-label="Pages">
                    {routes.map(({ path, label, load }) => (
                        <NavLink
                            key={path}
                            path={path}
                            label={label}
                            onIntent={() => void load().catch(() => undefined)}
                        />
                    ))}
                </nav>
                <div className="navbar-end">
                    <span className="navbar-user" title={user.email}>
                        {user.email}
                    </span>
                    <ThemeSwitch />
                    <Button
                        tone="quiet"
                        icon={<Icon name="leave" />}
                        className="navbar-leave"
                        onClick={() => void logOut()}
                    >
                        Log out
                    </Button>
                </div>
            </div>
        </header>
    );
}

export function Layout({ children }: { children: ReactNode }) {
    return (
        <>
            <a
                className="skip-link"
                href="#main"
                onClick={(event) => {
                    event.preventDefault();
                    document.getElementById('main')?.focus();
                }}
            >
                Skip to content
            </a>
            <Navbar />
            <OfflineNotice />
            <main id="main" tabIndex={-1}>
                {children}
            </main>
        </>
    );
}

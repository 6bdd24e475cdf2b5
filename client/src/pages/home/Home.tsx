// Home.tsx - start page with links to the other pages.
import { Link } from 'wouter';
import { Icon } from '../../components/Icon';
import type { IconName } from '../../components/Icon';
import { PageHeader } from '../../components/PageHeader';
import { useSession } from '../../session/SessionProvider';
import './home.css';

const places: readonly { to: string; icon: IconName; title: string; text: string }[] = [
    {
        to: '/images',
        icon: 'sparkle',
        title: 'Images',
        text: 'Store up to five reference photos per user and generate identity pictures from them.',
    },
    {
        to: '/prompts',
        icon: 'text',
        title: 'Prompts',
        text: 'Read, compare and create prompt versions, and choose the live one.',
    },
    {
        to: '/admin',
        icon: 'people',
        title: 'Admin',
        text: 'Manage users, photos, identities and test scenarios.',
    },
];

export default function Home() {
    const { user } = useSession();
    const name = user.first_name || user.email;

    return (
        <div className="page">
            <PageHeader title="Home" />
            <p className="home-hello">
                Hello {name}.{' '}
                {user.is_staff
                    ? 'What do you want to do?'
                    : 'These pages are for staff. Your account has no access to them.'}
            </p>
            {user.is_staff && (
                <ul className="home-places">
                    {places.map(({ to, icon, title, text }) => (
                        <li key={to}>
                            <Link href={to} className="card home-place">
                                <span className="home-icon">
                                    <Icon name={icon} size={26} />
                                </span>
                                <h2>{title}</h2>
                                <p className="muted">{text}</p>
                            </Link>
                        </li>
                    ))}
                </ul>
            )}
        </div>
    );
}

// Home.tsx - where one begins: what the other pages are for.
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
        text: 'Keep up to five reference photos of a user, and make pictures of an identity from them.',
    },
    {
        to: '/prompts',
        icon: 'text',
        title: 'Prompts',
        text: 'Read, compare and write the versions of the prompts, and choose the one that is used.',
    },
    {
        to: '/admin',
        icon: 'people',
        title: 'Admin',
        text: 'Look after users, their photos, identities and test scenarios.',
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
                    : 'Your account has no pages of its own here: they are for staff.'}
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

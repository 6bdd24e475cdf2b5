// SessionExpired.tsx - login dialog over the current page after the session has expired.
import type { User } from '../api/types';
import { Button } from '../components/Button';
import { Dialog } from '../components/Dialog';
import { LoginForm } from './LoginForm';

interface SessionExpiredProps {
    user: User;
    onLogIn: (user: User) => void;
    onLeave: () => Promise<void>;
}

export default function SessionExpired({ user, onLogIn, onLeave }: SessionExpiredProps) {
    return (
        <Dialog
            open
            dismissible={false}
            title="Your session has ended"
            description="Log in again to continue. Your text is kept."
        >
            <LoginForm email={user.email} onLogIn={onLogIn} />
            <Button tone="quiet" className="button-wide" onClick={() => void onLeave()}>
                Log out
            </Button>
        </Dialog>
    );
}

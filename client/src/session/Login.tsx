// Login.tsx - login page. It keeps the address, so that the requested page follows.
import type { User } from '../api/types';
import { Brand } from '../components/Brand';
import { ThemeSwitch } from '../components/ThemeSwitch';
import { usePageTitle } from '../components/PageHeader';
import { LoginForm } from './LoginForm';

export function Login({ onLogIn }: { onLogIn: (user: User) => void }) {
    usePageTitle('Log in');
    return (
        <div className="login">
            <header className="login-header">
                <Brand />
                <ThemeSwitch />
            </header>
            <main className="login-main">
                <div className="card login-card">
                    <h1>Log in</h1>
                    <p className="muted">Reference photos, prompts and identity pictures for your users</p>
                    <LoginForm onLogIn={onLogIn} />
                </div>
            </main>
        </div>
    );
}

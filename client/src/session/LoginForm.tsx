// LoginForm.tsx - login form for auth/login/, with the server's errors beside the fields.
import { useRef, useState } from 'react';
import type { FormEvent } from 'react';
import { logIn } from '../api/auth';
import { ApiError, sentence } from '../api/client';
import type { User } from '../api/types';
import { Button } from '../components/Button';
import { Field } from '../components/Field';

interface LoginFormProps {
    email?: string;
    onLogIn: (user: User) => void;
}

type Faults = Partial<Record<'email' | 'password' | 'form', string>>;

function faultsOf(error: unknown): Faults {
    const errors = error instanceof ApiError ? error.errors : {};
    const faults = { email: errors.email?.[0], password: errors.password?.[0] };

    return faults.email || faults.password ? faults : { form: sentence(error) };
}

function missing(email: string, password: string): Faults {
    return {
        ...(email ? {} : { email: 'Enter your email address.' }),
        ...(password ? {} : { password: 'Enter your password.' }),
    };
}

export function LoginForm({ email: known = '', onLogIn }: LoginFormProps) {
    const [faults, setFaults] = useState<Faults>({});
    const [busy, setBusy] = useState(false);
    const form = useRef<HTMLFormElement>(null);

    function show(found: Faults): void {
        setFaults(found);
        const field = found.email ? 'email' : 'password';

        form.current?.querySelector<HTMLInputElement>(`[name=${field}]`)?.focus();
    }

    async function submit(event: FormEvent): Promise<void> {
        event.preventDefault();
        const data = new FormData(form.current!);
        const email = String(data.get('email')).trim();
        const password = String(data.get('password'));
        const found = missing(email, password);

        if (busy || Object.keys(found).length) {
            show(found);
            return;
        }
        setBusy(true);
        setFaults({});
        try {
            onLogIn(await logIn(email, password));
        } catch (error) {
            show(faultsOf(error));
        } finally {
            setBusy(false);
        }
    }

    return (
        <form ref={form} className="stack" noValidate onSubmit={(event) => void submit(event)}>
            {faults.form && (
                <p className="notice notice-error" role="alert">
                    {faults.form}
                </p>
            )}
            <Field label="Email" error={faults.email}>
                {(props) => (
                    <input
                        {...props}
                        className="input"
                        name="email"
                        type="email"
                        autoComplete="username"
                        defaultValue={known}
                        autoFocus={!known}
                        maxLength={254}
                    />
                )}
            </Field>
            <Field label="Password" error={faults.password}>
                {(props) => (
                    <input
                        {...props}
                        className="input"
                        name="password"
                        type="password"
                        autoComplete="current-password"
                        autoFocus={Boolean(known)}
                        maxLength={1024}
                    />
                )}
            </Field>
            <Button type="submit" tone="primary" busy={busy} className="button-wide">
                Log in
            </Button>
        </form>
    );
}

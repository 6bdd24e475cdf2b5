// ErrorBoundary.tsx - something broke, or its code could not be loaded: the rest goes on.
import { Component } from 'react';
import type { ReactNode } from 'react';
import { Button } from './Button';
import { EmptyState } from './EmptyState';

interface ErrorBoundaryProps {
    /** Nothing takes the place of what broke. */
    silent?: boolean;
    children: ReactNode;
}

export class ErrorBoundary extends Component<ErrorBoundaryProps, { broken: boolean }> {
    override state = { broken: false };

    static getDerivedStateFromError() {
        return { broken: true };
    }

    override render() {
        if (!this.state.broken) {
            return this.props.children;
        }
        return this.props.silent ? null : (
            <div className="page page-narrow" role="alert">
                <EmptyState icon="warning" title="This page could not be shown.">
                    <p>The server may have a newer version of it, or the connection broke.</p>
                    <Button tone="primary" onClick={() => location.reload()}>
                        Load it again
                    </Button>
                </EmptyState>
            </div>
        );
    }
}

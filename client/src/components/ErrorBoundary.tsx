// ErrorBoundary.tsx - contains failures of rendering and of loading code, so that the rest keeps working.
import { Component } from 'react';
import type { ReactNode } from 'react';
import { Button } from './Button';
import { EmptyState } from './EmptyState';

interface ErrorBoundaryProps {
    /** Renders nothing in place of the failed part. */
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
                <EmptyState icon="warning" title="This page can't be displayed.">
                    <p>The page may have been updated, or the connection was lost.</p>
                    <Button tone="primary" onClick={() => location.reload()}>
                        Reload
                    </Button>
                </EmptyState>
            </div>
        );
    }
}

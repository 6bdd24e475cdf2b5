// ErrorBoundary.tsx - a page that broke, or whose code could not be loaded: the rest goes on.
import { Component } from 'react';
import type { ReactNode } from 'react';
import { Button } from './Button';
import { EmptyState } from './EmptyState';

export class ErrorBoundary extends Component<{ children: ReactNode }, { broken: boolean }> {
    override state = { broken: false };

    static getDerivedStateFromError() {
        return { broken: true };
    }

    override render() {
        return this.state.broken ? (
            <div className="page page-narrow" role="alert">
                <EmptyState icon="warning" title="This page could not be shown.">
                    <p>The server may have a newer version of it, or the connection broke.</p>
                    <Button tone="primary" onClick={() => location.reload()}>Load it again</Button>
                </EmptyState>
            </div>
        ) : this.props.children;
    }
}

// eslint.config.js - rules beyond tsc for the pages, and for the JavaScript of tests and scripts; prettier has the layout.
import js from '@eslint/js';
import hooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import ts from 'typescript-eslint';

const unused = ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' }];

export default ts.config(
    { ignores: ['**/node_modules/', 'client/src/api/schema.d.ts', 'client/public/', 'build/', 'var/'] },
    js.configs.recommended,
    {
        files: ['client/src/**/*.{ts,tsx}'],
        extends: [ts.configs.recommended],
        plugins: { 'react-hooks': hooks },
        rules: {
            ...hooks.configs.recommended.rules,
            '@typescript-eslint/no-unused-vars': unused,
            eqeqeq: ['error', 'always', { null: 'ignore' }],
        },
    },
    {
        files: ['tests/clients/jobs/*.ts', 'client/*.ts'],
        extends: [ts.configs.recommended],
    },
    {
        files: ['tests/**/*.mjs', 'scripts/*.mjs'],
        // Tests of pages hand functions to the browser.
        languageOptions: { globals: { ...globals.node, ...globals.browser } },
        rules: { 'no-unused-vars': unused, eqeqeq: ['error', 'always', { null: 'ignore' }] },
    },
);

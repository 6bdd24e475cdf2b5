// queryKeys.ts - the names under which answers are remembered; what begins alike is forgotten together.
export const keys = {
    me: ['me'],
    generationUsers: ['image-generation', 'users'],
    options: ['image-generation', 'options'],
    jobs: ['jobs'],
    jobList: (filter: Record<string, string>) => ['jobs', 'list', filter],
    activeJobs: ['jobs', 'active'],
    job: (id: string) => ['jobs', 'one', id],
    identities: ['identities'],
    identitiesOf: (userId: string) => ['identities', 'of', userId],
    identity: (id: string) => ['identities', 'one', id],
    referenceImages: ['reference-images'],
    referenceImagesOf: (userId: string) => ['reference-images', userId],
    prompts: ['prompts'],
    activePrompt: (type: string) => ['prompts', 'active', type],
    promptPreview: (...what: string[]) => ['prompts', 'preview', ...what],
    enums: ['enums'],
} as const;

// types.ts - short names of API objects. The build generates schema.d.ts from openapi.json.
import type { components } from './schema';

type Schemas = components['schemas'];

export type User = Schemas['User'];
export type Picture = Schemas['Picture'];
export type ReferenceImage = Schemas['ReferenceImage'];
export type Identity = Schemas['Identity'];
export type AvailableUser = Schemas['AvailableUser'];
export type GenerationRequest = Schemas['GenerationRequest'];
export type GenerationJob = Schemas['GenerationJob'];
export type GenerationJobPage = Schemas['GenerationJobPage'];
export type GenerationOptions = Schemas['GenerationOptions'];
export type ResolutionChoice = Schemas['ResolutionChoice'];
export type GenerationLimits = Schemas['GenerationLimits'];
export type Generation = Schemas['Generation'];
export type JobState = GenerationJob['state'];
export type Prompt = Schemas['Prompt'];
export type PromptPreview = Schemas['PromptPreview'];
export type Enums = Schemas['Enums'];
export type ErrorCode = Schemas['Code'];

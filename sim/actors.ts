import type { Actor } from '../src/core/model/actor.ts';

export const person = (name: string): Actor => ({ kind: 'person', name });

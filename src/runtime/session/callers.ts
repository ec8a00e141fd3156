import type { Actor } from '../../core/model/actor.ts';

/** The actor behind a request at the border: a person who gave a name, or a caller who gave none. */
export const callerOf = (name: string | null | undefined): Actor =>
  name === undefined || name === null || name === '' ? { kind: 'token', name: 'api' } : { kind: 'person', name };

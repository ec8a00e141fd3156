/** An agent that keeps to the letter of the protocol. Each profile begins with this one. */
import { plainText } from '../../shared/plain-text.ts';
import { nothing } from '../answer-filter.ts';
import type { Profile } from './profile.ts';

export const plain: Profile = {
  provider: 'acp',
  command: null,
  args: [],
  passEnv: [],
  env: {},
  files: { read: true, write: true },
  sumsUsage: false,
  startedAfterMs: null,
  replaysLate: false,
  keepsPrompts: false,
  plainText,
  widening: () => [],
  argsOver: () => [],
  metaOver: () => null,
  modelArgs: null,
  toolName: () => null,
  outputPiece: () => null,
  answerFilter: () => ({
    onChunk: (text) => [{ kind: 'text', text }],
    onUpdate: () => nothing,
    onEnd: () => ({ passages: nothing, failure: null }),
  }),
};

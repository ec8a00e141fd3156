/** Examples of requests for /openapi.json: one of each kind that a reader may look for. The compiler and a test hold them against the schemas. */
import { TaskIdSchema } from './ids.ts';
import type { BodyOf, Operation } from './routes.ts';

interface Example<T> {
  readonly summary: string;
  readonly value: T;
}

/** Every route with a body has at least one. */
type WithBody = { readonly [O in Operation]: BodyOf<O> extends undefined ? never : O }[Operation];
type Examples<O extends WithBody> = { readonly [name: string]: Example<BodyOf<O>> };

const [task] = TaskIdSchema.examples;
const by = 'ada';
const byPerson = { person: { summary: 'With the name of the person who asks', value: { by } } } as const;

export const requestExamples: { readonly [O in WithBody]: Examples<O> } = {
  submitTask: {
    least: {
      summary: 'A question of a person: it interrupts background work',
      value: { session: 'github:acme/app', prompt: 'Please look at issue 17.' },
    },
    background: {
      summary: 'Work in the background: it gives way to questions, and may edit files',
      value: {
        session: 'github:acme/app',
        prompt: 'Tidy the docs.',
        lane: 'background',
        priority: 10,
        permissions: { mode: 'ask', allow: ['edit'] },
        labels: { issue: '17' },
      },
    },
    external: {
      summary: 'Work of a program outside the daemon, which claims the task',
      value: { session: 'deploy', prompt: '', mode: 'external', input: { version: '1.4.2' } },
    },
  },
  editTask: { prompt: { summary: 'Another prompt', value: { prompt: 'Please look at issue 18.', by } } },
  moveTask: {
    first: { summary: 'To the head of its lane', value: { to: 'first' } },
    before: { summary: 'Before another task', value: { before: task } },
    lane: { summary: 'Into the other lane', value: { lane: 'background', priority: 5 } },
  },
  cancelTask: { reason: { summary: 'With a reason for the tape', value: { reason: 'not_needed', by } } },
  holdTask: {
    claim: { summary: 'Claim it, with a lease of half a minute', value: { holder: 'worker-7f3a', leaseMs: 30_000 } },
  },
  takeTurn: {
    first: { summary: 'The first turn under the hold', value: { epoch: 7, call: 1, prompt: 'Summarise the change.' } },
  },
  reportProgress: { step: { summary: 'A step that is done', value: { epoch: 7, data: { step: 'built' } } } },
  heartbeat: { beat: { summary: 'The holder works', value: { epoch: 7 } } },
  releaseHold: { release: { summary: 'The session may go to another task', value: { epoch: 7 } } },
  finishTask: {
    completed: {
      summary: 'Done, with a result',
      value: { epoch: 7, status: 'completed', result: { version: '1.4.2' } },
    },
    failed: { summary: 'Failed, with a reason', value: { epoch: 7, status: 'failed', reason: 'no_tests' } },
  },
  stopSession: {
    turn: { summary: 'Only what runs', value: { scope: 'turn' } },
    session: { summary: 'What runs and what waits', value: { scope: 'session', by } },
  },
  evictSession: { hold: { summary: 'This hold, and no later one', value: { epoch: 7, by } } },
  parkSession: {
    reason: { summary: 'With a reason, which others read', value: { reason: 'The repository moves.', by } },
  },
  unparkSession: byPerson,
  restartAgent: byPerson,
  newConversation: byPerson,
  assignAgent: {
    other: { summary: 'Another agent', value: { agent: 'codex', by } },
    model: { summary: 'The same agent with another model', value: { agent: 'claude', model: 'opus', by } },
  },
  respondToPermissionRequest: {
    allow: { summary: 'Allow it', value: { turn: 3, request: 'toolu_01', allow: true, by } },
    deny: {
      summary: 'Deny it, and tell the agent why',
      value: { turn: 3, request: 'toolu_01', allow: false, note: 'Ask first.' },
    },
  },
  makeToken: {
    read: {
      summary: 'To look at the sessions of one repository, for a day',
      value: { name: 'board', scopes: ['read'], sessions: ['github:acme/*'], expiresIn: 86_400_000 },
    },
    submit: { summary: 'To submit from a pipeline', value: { name: 'ci', scopes: ['submit'] } },
  },
};

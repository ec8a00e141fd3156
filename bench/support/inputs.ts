/** Inputs of the core, as the runtime makes them; for rows that drive `step` without a runtime. */
import { taskId } from '../../src/core/model/ids.ts';
import type { Input } from '../../src/core/model/inputs.ts';
import type { Lane, TaskMode } from '../../src/core/model/task.ts';
import type { Session, TurnResult } from '../../src/core/model/session.ts';

const at = 1_700_000_000_000;

const payload = {
  prompt: 'a prompt of about the length that a person writes into a chat window',
  runner: null,
  input: null,
  source: 'api',
  rights: 'default',
  author: null,
  idempotencyKey: null,
  labels: {},
};

export const submitted = (id: string, lane: Lane, mode: TaskMode = 'prompt'): Input => ({
  type: 'submit',
  at,
  about: { title: payload.prompt, source: payload.source, author: payload.author },
  payload,
  task: {
    id: taskId(id),
    lane,
    mode,
    priority: 0,
    mergeGroup: 'api\u0000default',
    whenBusy: lane === 'interactive' ? 'preempt' : 'enqueue',
    onLost: 'retry',
    maxAttempts: 3,
    conversation: 'current',
    expiresAt: null,
    model: null,
  },
});

export const agentReady = (session: Session): Input => ({
  type: 'agent-ready',
  at,
  incarnation: session.incarnations,
  caps: { acks: true, steer: false, rewind: false, models: false, keepsPrompts: true },
  conversation: 'one',
  conversationReset: false,
});

export const turnStarted = (session: Session): Input => ({
  type: 'turn-started',
  at,
  incarnation: session.incarnations,
  turn: session.turns,
});

export const output = (session: Session): Input => ({
  type: 'output',
  at,
  incarnation: session.incarnations,
  turn: session.turns,
  part: { kind: 'text', text: 'a chunk of text as an agent streams it' },
});

export const result = (session: Session, outcome: TurnResult['outcome']): Input => ({
  type: 'result',
  at,
  incarnation: session.incarnations,
  turn: session.turns,
  result: { outcome, empty: false, report: { text: 'done' } },
});

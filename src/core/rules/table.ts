/**
 * The tables of what can happen when. Both are total in their types: a new phase or a new input does not compile until
 * every cell is stated. `turnCells` is consulted for every turn-scoped event; `replyKinds` is asserted on every step.
 */
import type { InputType } from '../model/inputs.ts';
import type { Session, TurnPhase } from '../model/session.ts';
import type { Reply } from '../model/replies.ts';

export type TurnInput =
  | 'turn-started'
  | 'output'
  | 'ack'
  | 'result'
  | 'steered'
  | 'permission-requested'
  | 'permission-withdrawn';
type Cell = 'apply' | 'stale';

/** Whether an event of the live turn applies in a phase. An ack that nobody asked for, or a second "started", is stale. */
export const turnCells: { readonly [P in TurnPhase]: { readonly [T in TurnInput]: Cell } } = {
  pending: {
    'turn-started': 'stale',
    output: 'stale',
    ack: 'stale',
    result: 'stale',
    steered: 'stale',
    'permission-requested': 'stale',
    'permission-withdrawn': 'stale',
  },
  sent: {
    'turn-started': 'apply',
    output: 'apply',
    ack: 'stale',
    result: 'apply',
    steered: 'stale',
    'permission-requested': 'apply',
    'permission-withdrawn': 'apply',
  },
  running: {
    'turn-started': 'stale',
    output: 'apply',
    ack: 'stale',
    result: 'apply',
    steered: 'apply',
    'permission-requested': 'apply',
    'permission-withdrawn': 'apply',
  },
  draining: {
    'turn-started': 'stale',
    output: 'apply',
    ack: 'apply',
    result: 'apply',
    steered: 'apply',
    'permission-requested': 'apply',
    'permission-withdrawn': 'stale',
  },
};

/** The state of a session as the table sees it. */
export type SessionState = 'free' | 'between-turns' | TurnPhase | 'fenced';

export function stateOf(session: Session): SessionState {
  if (session.fenced) {
    return 'fenced';
  }
  if (session.hold === null) {
    return 'free';
  }
  return session.hold.turn === null ? 'between-turns' : session.hold.turn.phase;
}

type Kinds = readonly Reply['kind'][];

const fencedKinds: { readonly [T in InputType]: Kinds } = {
  submit: ['stale'],
  cancel: ['stale'],
  edit: ['stale'],
  move: ['stale'],
  stop: ['stale'],
  evict: ['stale'],
  park: ['stale'],
  unpark: ['stale'],
  fault: ['stale'],
  'restart-agent': ['stale'],
  'make-room': ['stale'],
  call: ['stale'],
  progress: ['stale'],
  finish: ['stale'],
  'agent-ready': ['stale'],
  'agent-exited': ['stale'],
  'turn-started': ['stale'],
  output: ['stale'],
  ack: ['stale'],
  result: ['stale'],
  steered: ['stale'],
  'permission-requested': ['stale'],
  'permission-withdrawn': ['stale'],
  switched: ['stale'],
  respond: ['stale'],
  throttle: ['stale'],
  report: ['stale'],
  unsolicited: ['stale'],
  timer: ['stale'],
  recovered: ['stale'],
  fenced: ['stale'],
};

/** What every state has in common: commands are answered or refused, tokens are fresh or stale. */
const commonKinds = {
  submit: ['admitted', 'refused'],
  cancel: ['receipt', 'refused'],
  edit: ['ok', 'refused'],
  move: ['ok', 'refused'],
  stop: ['receipts'],
  park: ['ok'],
  unpark: ['ok', 'refused'],
  fault: ['ok'],
  call: ['ok', 'stale'],
  progress: ['ok', 'stale'],
  finish: ['ok', 'stale'],
  output: ['ok', 'stale'],
  switched: ['ok', 'stale'],
  throttle: ['ok'],
  report: ['ok'],
  unsolicited: ['ok', 'stale'],
  timer: ['ok', 'stale'],
  'agent-exited': ['ok', 'stale'],
  fenced: ['ok'],
} as const satisfies { readonly [T in InputType]?: Kinds };

const noTurn = {
  'turn-started': ['stale'],
  ack: ['stale'],
  result: ['stale'],
  steered: ['stale'],
  'permission-requested': ['stale'],
  'permission-withdrawn': ['stale'],
  respond: ['refused'],
} as const;
const agentKinds = {
  'restart-agent': ['ok', 'refused'],
  'make-room': ['ok', 'refused'],
  'agent-ready': ['ok', 'stale'],
} as const satisfies { readonly [T in InputType]?: Kinds };
/** With a turn on the wire the agent is up: it cannot become ready, and it is not at rest. */
const busyAgent = { 'restart-agent': ['ok'], 'make-room': ['refused'], 'agent-ready': ['stale'] } as const;
const heldKinds = { evict: ['ok', 'stale'], recovered: ['ok'] } as const;

export const replyKinds: { readonly [S in SessionState]: { readonly [T in InputType]: Kinds } } = {
  free: { ...commonKinds, ...noTurn, ...agentKinds, evict: ['refused', 'stale'], recovered: ['ok'] },
  'between-turns': { ...commonKinds, ...noTurn, ...agentKinds, ...heldKinds },
  pending: { ...commonKinds, ...noTurn, ...agentKinds, ...heldKinds },
  sent: {
    ...commonKinds,
    ...busyAgent,
    ...heldKinds,
    'restart-agent': ['ok', 'refused'],
    'turn-started': ['ok', 'stale'],
    ack: ['stale'],
    result: ['ok', 'stale'],
    steered: ['stale'],
    'make-room': ['refused'],
    'permission-requested': ['ok', 'stale'],
    'permission-withdrawn': ['ok', 'stale'],
    respond: ['ok', 'refused'],
  },
  running: {
    ...commonKinds,
    ...busyAgent,
    ...heldKinds,
    'turn-started': ['stale'],
    ack: ['stale'],
    result: ['ok', 'stale'],
    steered: ['ok', 'stale'],
    'permission-requested': ['ok', 'stale'],
    'permission-withdrawn': ['ok', 'stale'],
    respond: ['ok', 'refused'],
  },
  draining: {
    ...commonKinds,
    ...busyAgent,
    ...heldKinds,
    'turn-started': ['stale'],
    ack: ['ok', 'stale'],
    result: ['ok', 'stale'],
    steered: ['ok', 'stale'],
    'permission-requested': ['ok', 'stale'],
    'permission-withdrawn': ['stale'],
    respond: ['refused'],
  },
  fenced: fencedKinds,
};

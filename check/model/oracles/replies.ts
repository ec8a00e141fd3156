/**
 * Which kinds of reply an input can have in which state of the session. The table is total in its types: a new phase or input does not
 * compile until each cell is stated. The core does not consult it: a wrong cell fails a check here, and no user's session.
 */
import type { Input, InputType } from '../../../src/core/model/inputs.ts';
import type { Reply } from '../../../src/core/model/replies.ts';
import type { Session, TurnPhase } from '../../../src/core/model/session.ts';
import type { Report } from '../report.ts';
import type { Move } from './move.ts';
import { wrongWhy } from './why.ts';

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

/** A fenced session answers everything with this: its lease is lost, and whoever has it now answers. */
const fencedKinds: Kinds = ['stale'];

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
  claim: ['claimed', 'refused'],
  call: ['ok', 'answered', 'refused', 'stale'],
  heartbeat: ['ok', 'stale'],
  progress: ['ok', 'stale'],
  release: ['ok', 'stale'],
  finish: ['ok', 'stale'],
  output: ['ok', 'stale'],
  switched: ['ok', 'stale'],
  throttle: ['ok'],
  report: ['ok'],
  rewound: ['ok'],
  'new-conversation': ['conversation'],
  'assign-agent': ['assigned'],
  continue: ['ok', 'stale'],
  unsolicited: ['ok', 'stale'],
  timer: ['ok', 'stale'],
  'agent-exited': ['ok', 'stale'],
  'give-way': ['ok', 'refused', 'stale'],
  fenced: ['ok'],
} as const satisfies { readonly [T in InputType]?: Kinds };

const noTurn = {
  'turn-started': ['stale'],
  ack: ['stale'],
  result: ['stale'],
  steered: ['stale'],
  'permission-requested': ['stale'],
  'permission-withdrawn': ['stale'],
  'turn-limit': ['stale'],
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

const replyKinds: { readonly [S in Exclude<SessionState, 'fenced'>]: { readonly [T in InputType]: Kinds } } = {
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
    'turn-limit': ['ok', 'stale'],
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
    'turn-limit': ['ok', 'stale'],
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
    'turn-limit': ['stale'],
    respond: ['refused'],
  },
};

/** What is wrong with the kind of the reply, or null. */
export function wrongReply(before: Session, input: Input, reply: Reply): string | null {
  const state = stateOf(before);
  const kinds = state === 'fenced' ? fencedKinds : replyKinds[state][input.type];
  return kinds.includes(reply.kind)
    ? null
    : `${input.type} while ${state} is answered with ${reply.kind}, not ${kinds.join(' or ')}`;
}

export function judgeReply({ world, input, result }: Move, report: Report): void {
  const wrong = wrongReply(world.session, input, result.reply);
  if (wrong !== null) {
    report.fail('each input has a reply of the kinds that its state allows', wrong);
  }
  const why = wrongWhy(world.session, input, result.reply);
  if (why !== null) {
    report.fail('a reply says why an input is stale or refused', why);
  }
}

/** Turns small numbers into inputs for a session in any state: sensible ones mostly, late and foreign ones now and then. */
import fc from 'fast-check';
import { epoch, incarnation, taskId, turnId } from '../../src/core/model/ids.ts';
import type { TimerName } from '../../src/core/model/timers.ts';
import type { OutputPart, TurnReport } from '../../src/core/model/output.ts';
import type { NewTask } from '../../src/core/model/inputs.ts';
import { timerNames } from '../../src/core/model/timers.ts';
import type { TurnResult } from '../../src/core/model/session.ts';
import { turnLimits } from '../../src/core/model/turn-limits.ts';
import type { WhenBusy } from '../../src/core/model/task.ts';
import { tasksOf } from './core-audit.ts';
import { origin, action, type Box, everything, type Said, taskOf } from './core-driver.ts';

export type Choice = readonly [kind: number, a: number, b: number];

/** Null: the lane's default. */
const policies: readonly (WhenBusy | null)[] = [
  ...([null, null, null, 'preempt', 'enqueue', 'reject', 'replace', 'interrupt', 'rollback'] as const),
  ...(['steer', 'steer', 'steer', 'collect', 'collect', 'collect', 'collect'] as const),
];

export const choices = (maxLength: number): fc.Arbitrary<readonly Choice[]> =>
  fc.array(fc.tuple(fc.nat(kinds.length - 1), fc.nat(15), fc.nat(15)), { maxLength, size: 'max' });

/** Mostly none, so that riders find their like. */
const models: readonly (string | null)[] = [null, null, null, null, null, 'small', 'large'];
const requests = ['q', 'r'] as const;

const pick = <T>(list: readonly T[], index: number): T | undefined => list[index % Math.max(1, list.length)];

/** How ids and merge groups are spelled, so that a run can be repeated under other names. */
interface Names {
  readonly id: (index: number) => string;
  readonly mergeGroup: (index: number) => string;
}

export const plainNames: Names = {
  id: (index) => `t${String(index).padStart(3, '0')}`,
  mergeGroup: (index) => `p${index}`,
};

/** State of one run of chaos: how many tasks were submitted. */
export class Chaos {
  readonly box: Box;
  readonly #names: Names;
  #submitted = 0;

  constructor(box: Box, names: Names = plainNames) {
    this.box = box;
    this.#names = names;
  }

  /** An open task most of the time; else one that has ended or never was. */
  #some(a: number): ReturnType<typeof taskId> {
    const open = tasksOf(this.box.session);
    const one = a % 4 === 0 ? undefined : pick(open, a);
    return one?.id ?? taskId(this.#names.id(a % (this.#submitted + 1)));
  }

  #task(a: number, b: number): NewTask {
    this.#submitted += 1;
    return taskOf(this.#names.id(this.#submitted - 1), {
      lane: a % 2 === 0 ? 'interactive' : 'background',
      mode: a % 8 > 5 ? 'code' : a % 8 === 5 || a % 8 === 4 ? 'external' : 'prompt',
      whenBusy: pick(policies, b) ?? (a % 2 === 0 ? 'preempt' : 'enqueue'),
      mergeGroup: a % 5 === 0 ? null : this.#names.mergeGroup(a < 12 ? 0 : 1),
      priority: a % 3,
      maxAttempts: 1 + (b % 3),
      expiresAt: 1000 + b,
      onLost: b === 5 ? 'fail' : 'retry',
      model: models[(a + b) % models.length] ?? null,
    });
  }

  /** The input that a choice stands for in the present state. */
  said([kind, a, b]: Choice): Said {
    const { box } = this;
    const of = pick(kinds, kind) ?? 'submit';
    const task = this.#some(a);
    const runner = pick(
      tasksOf(box.session).filter(({ run }) => run !== null),
      a,
    );
    const run = epoch(b === 0 ? 0 : (runner?.run ?? box.epoch));
    const armed = pick([...box.armed], a)?.split(':') ?? [];
    const by = null;
    switch (of) {
      case 'submit':
        return { type: 'submit', task: this.#task(a, b), about: origin, payload: null };
      case 'cancel':
        return { type: 'cancel', task, reason: 'cancelled', by };
      case 'edit':
        return { type: 'edit', task, title: 'edited', payload: a, by };
      case 'move': {
        const where = ([null, 'first', 'last', { before: this.#some(b) }] as const)[b % 4] ?? null;
        const lane = a < 3 ? 'interactive' : a < 6 ? 'background' : null;
        return { type: 'move', task, lane, priority: a % 5 === 0 ? b : null, where, by };
      }
      case 'stop':
        return { type: 'stop', scope: (['turn', 'queue', 'session'] as const)[a % 3] ?? 'turn', by };
      case 'evict':
        return { type: 'evict', epoch: b < 8 ? null : epoch(box.epoch - (b % 2)), by };
      case 'park':
        return { type: 'park', kind: 'operator', reason: 'chaos', by };
      case 'unpark':
      case 'restart-agent':
        return { type: of, by };
      case 'make-room':
        return { type: of };
      case 'give-way':
        return {
          type: of,
          incarnation: incarnation(box.incarnation - (a > 13 ? 1 : 0)),
          interrupts: b > 11 ? null : turnId(box.turn - (b === 1 ? 1 : 0)),
          by: { kind: 'task', name: 'of another session' },
        };
      case 'fault':
        return { type: of, reason: 'chaos' };
      case 'report':
        return { type: of, note: { report: String(a), class: 'agent-silent', summary: 'chaos' } };
      case 'rewound':
        return { type: of, node: 'chaos' };
      case 'throttle': {
        const level = a % 2 === 0 ? 'all' : 'background';
        const until = b === 0 ? null : b;
        return { type: of, throttle: b > 9 ? null : { level, reason: a < 8 ? 'rate_limit' : 'overloaded', until } };
      }
      case 'respond': {
        const request = box.session.hold?.turn?.permissionRequests[0] ?? requests[a % 2] ?? 'q';
        return { type: of, turn: turnId(box.turn - (b === 1 ? 1 : 0)), request, allow: a > 7, by, note: null };
      }
      case 'call':
        return { type: of, task: runner?.id ?? task, run, call: a, model: models[b % models.length] ?? null };
      case 'progress':
        return { type: of, task: runner?.id ?? task, run, data: a };
      case 'claim': {
        const unclaimed = tasksOf(box.session).filter(({ stage }) => stage === 'unclaimed');
        return { type: of, task: pick(unclaimed, a)?.id ?? task, holder: `holder ${b % 3}`, leaseMs: b };
      }
      case 'heartbeat':
        return { type: of, task: runner?.id ?? task, run };
      case 'release':
        return { type: of, task: runner?.id ?? task, run };
      case 'finish': {
        const status = a % 2 === 0 ? 'completed' : 'failed';
        return { type: of, task: runner?.id ?? task, run, status, reason: 'runner', result: a };
      }
      case 'agent goes on':
        return this.#agent(a, b);
      case 'agent-ready':
      case 'agent-exited':
      case 'turn-started':
      case 'output':
      case 'ack':
      case 'result':
      case 'steered':
      case 'permission-requested':
      case 'permission-withdrawn':
      case 'turn-limit':
      case 'switched':
      case 'unsolicited':
        return this.#says(of, a, b);
      case 'armed timer':
        return armed[1] === undefined ? this.#late(a, b) : timer(armed[0], armed[1]);
      case 'late timer':
        return this.#late(a, b);
    }
  }

  /** Something an agent says, to the point or not. */
  #says(of: AgentWord, a: number, b: number): Said {
    const { box } = this;
    const inc = incarnation(box.incarnation - (b === 0 ? 1 : 0));
    const turn = turnId(box.turn - (b === 1 ? 1 : 0));
    switch (of) {
      case 'agent-ready':
        return {
          type: of,
          incarnation: inc,
          caps:
            a < 10 ? everything : { acks: a < 12, steer: a < 14, rewind: false, models: false, keepsPrompts: false },
          conversation: a % 3 === 0 ? null : 'c',
          conversationReset: a === 4,
        };
      case 'agent-exited':
        return {
          type: of,
          incarnation: inc,
          reason: 'chaos',
          data: null,
          ...(a % 2 === 0 ? { loss: 'agent_killed' as const } : {}),
        };
      case 'turn-started':
        return { type: of, incarnation: inc, turn };
      case 'output':
        return {
          type: of,
          incarnation: inc,
          turn: a === 0 ? null : turn,
          part: parts[a % parts.length] ?? { kind: 'raw', data: a },
        };
      case 'ack':
        return { type: of, incarnation: inc, turn, noResult: a % 5 === 0 };
      case 'result': {
        const outcome = (['completed', 'interrupted', 'failed'] as const)[a % 3] ?? 'completed';
        return {
          type: of,
          incarnation: inc,
          turn,
          result: { outcome, empty: b % 2 === 0, report: reportOf(outcome, b) },
        };
      }
      case 'steered':
        return { type: of, incarnation: inc, turn, task: this.#some(a), taken: b % 2 === 0 };
      case 'permission-requested': {
        const verdict = ([null, null, 'allow', 'deny'] as const)[b % 4] ?? null;
        return {
          type: of,
          incarnation: inc,
          turn,
          request: requests[a % 2] ?? 'q',
          policyDecision: verdict,
          policyNote: null,
          action: action,
        };
      }
      case 'permission-withdrawn':
        return { type: of, incarnation: inc, turn, request: requests[a % 2] ?? 'q' };
      case 'turn-limit':
        return { type: of, incarnation: inc, turn, limit: turnLimits[a % turnLimits.length] ?? 'output', bound: b };
      case 'switched':
        return { type: of, incarnation: inc, model: models[a % models.length] ?? null, ok: b > 3 };
      case 'unsolicited':
        return { type: of, incarnation: inc, phase: a % 2 === 0 ? 'began' : 'ended', data: null };
    }
  }

  /** What an agent that is well would do next. */
  #agent(a: number, b: number): Said {
    const { agent, hold, incarnations: inc } = this.box.session;
    const turn = hold?.turn ?? null;
    if (agent.kind === 'starting') {
      return { type: 'agent-ready', incarnation: inc, caps: everything, conversation: 'c', conversationReset: false };
    }
    if (agent.kind === 'ending') {
      return { type: 'agent-exited', incarnation: inc, reason: 'ended', data: null };
    }
    if (agent.kind === 'up' && agent.activity === 'switching') {
      return { type: 'switched', incarnation: inc, model: agent.model, ok: a > 1 };
    }
    if (turn === null || turn.phase === 'pending') {
      return { type: 'unsolicited', incarnation: inc, phase: 'ended', data: null };
    }
    if (turn.phase === 'sent') {
      return { type: 'turn-started', incarnation: inc, turn: turn.id };
    }
    if (turn.phase === 'running' && a === 7) {
      return {
        type: 'permission-requested',
        incarnation: inc,
        turn: turn.id,
        request: requests[b % 2] ?? 'q',
        policyDecision: null,
        policyNote: null,
        action: action,
      };
    }
    const rider = tasksOf(this.box.session).find(({ stage, delivered }) => stage === 'steered' && !delivered);
    if (rider !== undefined && b % 2 === 0) {
      return { type: 'steered', incarnation: inc, turn: turn.id, task: rider.id, taken: b % 4 === 0 };
    }
    if (turn.phase === 'draining' && turn.interrupt?.acked !== true && a % 4 > 0) {
      return { type: 'ack', incarnation: inc, turn: turn.id, noResult: false };
    }
    if (turn.phase === 'running' && a % 3 > 0) {
      return { type: 'output', incarnation: inc, turn: turn.id, part: { kind: 'text', text: String(a) } };
    }
    const outcome = turn.phase === 'draining' && b > 4 ? 'interrupted' : b === 0 ? 'failed' : 'completed';
    return {
      type: 'result',
      incarnation: inc,
      turn: turn.id,
      result: { outcome, empty: b % 4 === 1, report: reportOf(outcome, a) },
    };
  }

  #late(a: number, b: number): Said {
    const { session } = this.box;
    const name = pick(timerNames, a) ?? 'drain';
    const newest = {
      hold: session.epoch,
      drain: session.turns,
      silence: session.turns,
      permission: session.turns,
      protected: session.turns,
    };
    const of = name in newest ? newest[name as keyof typeof newest] : session.incarnations;
    return { type: 'timer', name, subject: ofTask.has(name) ? this.#some(b) : of - (b % 3) };
  }
}

const ofTask = new Set<TimerName>(['collect', 'wait']);

function timer(name: string | undefined, of: string): Said {
  const known = timerNames.find((other) => other === name) ?? 'drain';
  return { type: 'timer', name: known, subject: ofTask.has(known) ? taskId(of) : Number(of) };
}

type AgentWord =
  | 'agent-ready'
  | 'agent-exited'
  | 'turn-started'
  | 'output'
  | 'ack'
  | 'result'
  | 'steered'
  | 'permission-requested'
  | 'permission-withdrawn'
  | 'turn-limit'
  | 'switched'
  | 'unsolicited';

const parts: readonly OutputPart[] = [
  { kind: 'text', text: 'words' },
  { kind: 'tool', id: null, name: 'Bash', action: 'execute', title: 'make', status: 'started' },
  { kind: 'usage', inputTokens: 1, outputTokens: 1 },
  { kind: 'raw', data: 1 },
];

function reportOf(outcome: TurnResult['outcome'], b: number): TurnReport {
  const text = `report ${b}`;
  if (outcome !== 'failed' || b % 3 === 0) {
    return { text };
  }
  const transient = b % 3 === 1;
  return { text, failure: { class: transient ? 'overloaded' : 'context', transient, message: '', hint: '' } };
}

/** Each as often as it is weighed here. */
const weights = {
  submit: 10,
  cancel: 2,
  edit: 1,
  move: 2,
  stop: 1,
  evict: 1,
  park: 1,
  unpark: 4,
  'restart-agent': 1,
  'make-room': 1,
  'give-way': 2,
  fault: 1,
  report: 1,
  rewound: 1,
  throttle: 3,
  respond: 3,
  call: 6,
  claim: 6,
  heartbeat: 1,
  progress: 1,
  release: 1,
  finish: 1,
  'agent goes on': 30,
  'agent-ready': 1,
  'agent-exited': 1,
  'turn-started': 1,
  output: 2,
  ack: 3,
  result: 3,
  steered: 3,
  'permission-requested': 4,
  'permission-withdrawn': 2,
  'turn-limit': 1,
  switched: 2,
  unsolicited: 2,
  'armed timer': 3,
  'late timer': 1,
} as const;

const kinds = (Object.keys(weights) as (keyof typeof weights)[]).flatMap((kind) =>
  Array.from({ length: weights[kind] }, () => kind),
);

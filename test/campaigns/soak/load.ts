/**
 * The callers of a soak: each does one thing after the other, of everything that a caller, an operator or a person can do. Every accepted task is
 * kept with its policy; what was never answered is sent again under its key when the daemon is back.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../../../src/client/index.ts';
import { misdeeds, sessionFor } from '../chaos/misdeeds.ts';

type Request = Parameters<Client['submit']>[0];

/** How long a program tries to hold a session before it falls silent. */
const holdMs = 15_000;

export interface Sent {
  readonly key: string;
  readonly request: Request & { readonly maxAttempts: number; readonly onLost: 'retry' | 'fail' };
  /** Null while no answer came. */
  task: string | null;
}

/** Nothing is wrong with a caller who is told one of these. */
const expected: ReadonlySet<string> = new Set([
  'unreachable',
  'aborted',
  'bad_response',
  'closing',
  'queue_full',
  'source_full',
  'daemon_full',
  'session_busy',
  'rollback_unsupported',
  'task_ended',
  'not_found',
  'unknown_task',
  'unknown_session',
  'text_sent',
  'turn_sent',
  'task_merged',
  'not_movable',
  'nothing_held',
  'not_parked',
  'agent_not_running',
  'no_permission_request',
  'not_throttled',
  'stale_epoch',
  'evicted',
  'task_claimed',
  'hold_released',
]);

const good = ['[[text:well]]', '[[stream:20,10]]', '[[stream:60,20]]', '[[tool:build]][[text:built]]'];

/** Outages of the provider, requests, and turns that never stop by themselves. */
const hard = [
  '[[ask:execute:make]][[text:asked]]',
  '[[api:429,300]]',
  '[[api:503]]',
  '[[api:drop]]',
  '[[api:quota]]',
  '[[api:401]]',
  '[[retry:529,200]]',
  '[[forever:5]]',
  '[[tool:a]]'.repeat(40),
  '[[stream:300,1,10000]]',
];

const policies = ['preempt', 'enqueue', 'steer', 'collect', 'replace', 'interrupt', 'rollback', 'reject'] as const;

export class Load {
  readonly sent: Sent[] = [];
  readonly done: { [verb: string]: number } = {};
  readonly wrong: string[] = [];
  readonly #client: () => Client;
  readonly #random: () => number;
  readonly #sessions: number;
  over = false;

  constructor(client: () => Client, random: () => number, sessions: number) {
    this.#client = client;
    this.#random = random;
    this.#sessions = sessions;
  }

  /** One caller, until the load is over. */
  async call(): Promise<void> {
    while (!this.over) {
      const [verb, act] = this.#next();
      this.done[verb] = (this.done[verb] ?? 0) + 1;
      await this.#quietly(verb, act);
      await pause(50 + this.#random() * 1_000);
    }
  }

  /** Sends once more what was never answered: it is the first task if that was admitted, and one task in any case. */
  async askAgain(): Promise<void> {
    for (const sent of this.sent) {
      if (sent.task === null) {
        await this.#quietly('submit', () => this.#submit(sent));
      }
    }
  }

  async #quietly(verb: string, act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'none';
      if (!expected.has(code)) {
        this.wrong.push(`${verb} is answered with ${code}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  #next(): readonly [string, () => Promise<unknown>] {
    const client = this.#client();
    const session = this.#session();
    const task = this.#some(this.sent)?.task ?? null;
    if (this.#random() < 0.4 || task === null) {
      return ['submit', () => this.#submit(this.#made(session))];
    }
    if (this.#random() < 0.3) {
      return ['resume the provider', () => this.#resume()];
    }
    if (this.#random() < 0.5) {
      return ['answer permission requests', () => this.#answerRequests()];
    }
    const external = this.#some(this.sent.filter(({ request }) => request.mode === 'external'))?.task ?? null;
    if (external !== null && this.#random() < 0.4) {
      return ['hold a session', () => this.#hold(external)];
    }
    const verbs: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['submit again', () => this.#submit(this.#some(this.sent) ?? this.#made(session))],
      ['cancel', () => client.cancel(task, { by: 'soak' })],
      ['edit', () => client.edit(task, { prompt: '[[text:edited]]' })],
      ['move to the front', () => client.move(task, { to: 'first' })],
      [
        'move to the other lane',
        () => client.move(task, { lane: this.#random() < 0.5 ? 'interactive' : 'background' }),
      ],
      ['stop', () => client.stop(session, { scope: this.#some(['turn', 'queue', 'session'] as const) ?? 'turn' })],
      ['evict', () => client.evict(session)],
      ['park and unpark', () => this.#parkAwhile(session)],
      ['restart the agent', () => client.restartAgent(session)],
      ['begin a conversation', () => client.newConversation(session)],
      ['explain', () => client.explain(task)],
      ['list', () => client.tasks({ limit: 50 })],
      ['count open tasks', () => client.openTasks()],
    ];
    return this.#some(verbs) ?? ['list', () => client.tasks({ limit: 1 })];
  }

  /** A program that holds a session: it takes turns; then it ends the task, after it gave the session back or not, or it falls silent. */
  async #hold(task: string): Promise<void> {
    const silent = new AbortController();
    const stop = setTimeout(() => silent.abort(), holdMs);
    try {
      const hold = await this.#client().holdTask(task, { leaseMs: 1_500, signal: silent.signal });
      for (let turns = Math.floor(this.#random() * 3); turns >= 0; turns -= 1) {
        await hold.turn(this.#some(good) ?? '');
        await hold.progress({ turns });
      }
      const end = this.#random();
      if (end < 0.3) {
        return;
      }
      if (end < 0.5) {
        await hold.release();
      }
      await (end < 0.8 ? hold.finish({ end }) : hold.fail('soak'));
    } finally {
      clearTimeout(stop);
      silent.abort();
    }
  }

  async #parkAwhile(session: string): Promise<void> {
    await this.#client().park(session, 'soak');
    await pause(200 + this.#random() * 1_000);
    await this.#client().unpark(session);
  }

  async #answerRequests(): Promise<void> {
    const { items } = await this.#client().permissionRequests();
    for (const { session, turn, request } of items.slice(0, 3)) {
      await this.#client().respond(session, { turn, request, allow: this.#random() < 0.5 });
    }
  }

  async #resume(): Promise<void> {
    for (const { name } of (await this.#client().providers()).items) {
      await this.#client().resumeProvider(name);
    }
  }

  #made(session: string): Sent {
    const kind = this.#random();
    const misdeed = kind < 0.1 ? this.#some(misdeeds) : undefined;
    const lane = this.#random() < 0.5 ? 'interactive' : 'background';
    const number = Math.floor(this.#random() * this.#sessions);
    const sent: Sent = {
      key: `soak-${this.sent.length}`,
      task: null,
      request: {
        session: misdeed === undefined || misdeed.prompt !== null ? session : sessionFor(misdeed, number),
        lane,
        ...(kind > 0.9 ? { mode: 'external' as const } : {}),
        prompt: misdeed === undefined ? (this.#some(kind < 0.2 ? hard : good) ?? '') : (misdeed.prompt ?? 'hello?'),
        whenBusy:
          this.#random() < 0.5 ? (lane === 'interactive' ? 'preempt' : 'enqueue') : (this.#some(policies) ?? 'enqueue'),
        source: `soak:${Math.floor(this.#random() * 3)}`,
        priority: Math.floor(this.#random() * 3),
        maxAttempts: 1 + Math.floor(this.#random() * 3),
        onLost: this.#random() < 0.8 ? 'retry' : 'fail',
        expiresIn: 10_000 + Math.floor(this.#random() * 40_000),
      },
    };
    this.sent.push(sent);
    return sent;
  }

  async #submit(sent: Sent): Promise<void> {
    const { task } = await this.#client().submit(sent.request, { idempotencyKey: sent.key });
    if (sent.task !== null && sent.task !== task) {
      this.wrong.push(`key ${sent.key} gave ${sent.task}, then ${task}`);
    }
    sent.task = task;
  }

  /** Half of them want one folder. */
  #session(): string {
    const number = Math.floor(this.#random() * this.#sessions);
    return `${number % 2 === 0 ? 'own' : 'shared'}:${number}`;
  }

  #some<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#random() * list.length)];
  }
}

/**
 * What callers do meanwhile: they send tasks through any node until each is accepted, cancel some, and follow some through other nodes.
 *
 * Owned by one run. Owns: what was accepted, and what followers have seen.
 */
import { setTimeout as after } from 'node:timers/promises';
import type { ReadEvent } from '../../../src/client/index.ts';
import { AppError } from '../../../src/core/errors.ts';
import type { SubmitRequest } from '../../../src/protocol/index.ts';
import { any, type Arena, type Draw } from './arena.ts';
import type { Findings } from './findings.ts';

export interface Accepted {
  readonly key: string;
  readonly task: string;
  readonly session: string;
  /** Of the monotonic clock: when it was first sent, and when its acceptance was known. */
  readonly sentAt: number;
  readonly acceptedAt: number;
}

/** A request that gets no answer is sent again with its key. */
const answerMs = 20_000;
/** A follower looks for another node. */
const againMs = 100;
/** Tasks of one caller that are open at a time: more would only wait behind each other. */
const openMax = 5;
/** Between two looks at a task: those of callers are not measured. */
const lookMs = { caller: 250, probe: 25 } as const;

export class Load {
  readonly accepted: Accepted[] = [];
  /** What was seen of tapes that were followed. */
  readonly followed = new Map<string, ReadEvent[]>();
  readonly #arena: Arena;
  readonly #findings: Findings;
  readonly #followers: Promise<void>[] = [];
  readonly #ended = new AbortController();
  #sent = 0;
  repeated = 0;

  constructor(arena: Arena, findings: Findings) {
    this.#arena = arena;
    this.#findings = findings;
  }

  /** One caller, until `over` holds. */
  async call(draw: Draw, sessions: number, over: () => boolean): Promise<void> {
    const open: Promise<unknown>[] = [];
    while (!over()) {
      const sent = await this.submit(draw, {
        session: `s${draw(sessions)}`,
        prompt: `[[work:${1 + draw(30)},20]]`,
        lane: draw(4) === 0 ? 'interactive' : 'background',
        ...(draw(8) === 0 ? { whenBusy: 'steer' as const } : {}),
      });
      open.push(this.ended(sent, draw, lookMs.caller));
      if (draw(6) === 0) {
        this.#followers.push(this.#follow(sent.task, draw));
      }
      if (draw(8) === 0 && this.#arena.up.length > 0) {
        await any(this.#arena.up, draw)
          .client.cancel(any(this.accepted, draw).task, {}, { signal: AbortSignal.timeout(answerMs) })
          .catch(() => {});
      }
      await (open.length < openMax ? after(draw(100)) : open.shift());
    }
  }

  /** Through any node, again and again until it is accepted. `name`: what begins its key. */
  async submit(draw: Draw, request: SubmitRequest, name = 'task'): Promise<Accepted> {
    this.#sent += 1;
    const key = `${name}-${this.#sent}`;
    const sentAt = performance.now();
    const tasks = new Set<string>();
    for (;;) {
      const task = await this.#try(draw, { ...request, prompt: `${request.prompt} ${key}` }, key, tasks);
      if (task !== null) {
        const accepted = { key, task, session: request.session, sentAt, acceptedAt: performance.now() };
        this.accepted.push(accepted);
        return accepted;
      }
      this.repeated += 1;
      await after(50 + draw(200));
    }
  }

  async #try(draw: Draw, request: SubmitRequest, key: string, tasks: Set<string>): Promise<string | null> {
    const { up } = this.#arena;
    if (up.length === 0) {
      return null;
    }
    try {
      const signal = AbortSignal.timeout(answerMs);
      const { task } = await any(up, draw).client.submit(request, { idempotencyKey: key, signal });
      tasks.add(task);
      if (tasks.size > 1) {
        this.#findings.add('doubled', `${key} became the tasks ${[...tasks].join(' and ')}`);
      }
      return task;
    } catch (error) {
      if (error instanceof AppError && error.code === 'invariant_broken') {
        this.#findings.add('other', `${key}: ${error.message}`);
      }
      return null;
    }
  }

  /** Resolves with when it had ended, of the monotonic clock. One that is gone has ended, too. */
  async ended(accepted: Accepted, draw: Draw, everyMs: number = lookMs.probe): Promise<number> {
    for (;;) {
      const signal = AbortSignal.any([AbortSignal.timeout(answerMs), this.#ended.signal]);
      const [node] = this.#arena.up.length === 0 ? [] : [any(this.#arena.up, draw)];
      const view = await node?.client.task(accepted.task, { signal }).catch((error: unknown) => {
        if (isGone(error)) {
          this.#findings.add('lost', `${node.name} does not know the accepted task ${accepted.task}`);
          return 'gone' as const;
        }
        return null;
      });
      if (view === 'gone' || typeof view?.endedAt === 'number' || this.#ended.signal.aborted) {
        return performance.now();
      }
      await after(everyMs);
    }
  }

  /** Short tasks in these sessions, until they have ended. Gives the milliseconds from now to the end of the last. */
  async probe(sessions: readonly string[], draw: Draw): Promise<number> {
    const from = performance.now();
    const ends = await Promise.all(
      sessions.map(async (session) => {
        const request = { session, prompt: '[[text:here]]', lane: 'interactive' as const };
        return this.ended(await this.submit(draw, request, 'probe'), draw);
      }),
    );
    return Math.max(from, ...ends) - from;
  }

  async #follow(task: string, draw: Draw): Promise<void> {
    const seen: ReadEvent[] = [];
    this.followed.set(task, seen);
    while (seen.at(-1)?.type !== 'final' && !this.#ended.signal.aborted) {
      if (this.#arena.up.length > 0) {
        const { client } = any(this.#arena.up, draw);
        // A node that is gone, or stands still, is given up.
        const lost = new AbortController();
        const signal = AbortSignal.any([lost.signal, this.#ended.signal, AbortSignal.timeout(answerMs)]);
        const options = { after: seen.at(-1)?.seq ?? 0, signal, onBreak: () => lost.abort() };
        try {
          for await (const event of client.follow(task, options)) {
            seen.push(event);
          }
        } catch (error) {
          if (isGone(error)) {
            return;
          }
          if (error instanceof AppError && error.code === 'bad_response') {
            this.#findings.add('order', `a follower of ${task}: ${error.message}`);
          }
        }
      }
      await after(againMs);
    }
  }

  /** Followers have come to the end of their tapes, or are given up. */
  async close(withinMs: number): Promise<void> {
    const late = setTimeout(() => this.#ended.abort(), withinMs);
    await Promise.all(this.#followers);
    clearTimeout(late);
    this.#ended.abort();
  }
}

const isGone = (error: unknown): boolean => error instanceof AppError && error.code === 'unknown_task';

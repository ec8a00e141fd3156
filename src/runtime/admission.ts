/**
 * Admission of tasks. Owned by one runtime.
 *
 *  admission/1 An idempotency key makes one task of its source: of submits at the same time one is admitted, the others get its
 *              answer. Another request under the same key is refused.
 *  admission/2 A refused submit stores nothing and leaves its key free for the next try.
 *  admission/3 A submit that was accepted before is answered with its task, however full the daemon is by now.
 */
import { createHash } from 'node:crypto';
import { type SessionKey, type TaskId, taskId } from '../core/model/ids.ts';
import type { Input } from '../core/model/inputs.ts';
import { treeGet } from '../core/tree.ts';
import { fullTaskSpec } from '../protocol/task-spec.ts';
import type { TaskPayload } from '../store/port.ts';
import type { Full, SubmitAnswer, SubmitRequest } from './api.ts';
import { heldBack } from './queries/explain.ts';
import type { Stats } from './queries/stats.ts';
import { refusal, refused, refusedAsFull } from './refusals.ts';
import type { Context } from './options.ts';
import type { RuntimeParts } from './parts.ts';
import type { Registry } from './session/registry.ts';
import type { KeyResolver } from './session-keys.ts';
import { originOf } from './origin.ts';

/** Only equals are merged, steered or replaced: what a task may do is one of its rights. */
const mergeGroupOf = ({ source, rights, permissions }: TaskPayload): string =>
  `${source}\u0000${JSON.stringify([rights, permissions])}`;

interface Keyed {
  readonly source: string;
  readonly key: string;
  readonly digest: string;
}

/** The same for each spelling of one request. Defaults that a configuration may change are not filled in. */
function digestOf(keyed: SubmitRequest): string {
  const request = { ...keyed, idempotencyKey: undefined };
  return createHash('sha256')
    .update(JSON.stringify(canonical(request)))
    .digest('base64url');
}

/** In one order, and without what says nothing. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(canonical);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.entries(value)
    .filter(([, member]) => member !== null && member !== undefined)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => [name, canonical(member)]);
}

export class Admission {
  readonly #context: Context;
  readonly #registry: Registry;
  readonly #key: KeyResolver;
  readonly #ready: Promise<void>;
  readonly #stats: Stats;
  /** Submits under way, by source and idempotency key. */
  readonly #admitting = new Map<string, { readonly digest: string; readonly answer: Promise<SubmitAnswer> }>();

  constructor({ context, registry, key, ready, stats }: RuntimeParts) {
    this.#context = context;
    this.#registry = registry;
    this.#key = key;
    this.#ready = ready;
    this.#stats = stats;
  }

  async submit(request: SubmitRequest): Promise<SubmitAnswer> {
    const key = request.idempotencyKey ?? null;
    if (key === null) {
      return this.#admit(request, null);
    }
    const digest = request.requestDigest ?? digestOf(request);
    const { source } = fullTaskSpec(request);
    const place = JSON.stringify([source, key]);
    for (;;) {
      const other = this.#admitting.get(place);
      if (other === undefined) {
        break;
      }
      const answer = await other.answer.catch(() => null);
      if (answer?.kind === 'accepted') {
        return other.digest === digest ? { ...answer, duplicate: true } : refused('key_reused');
      }
    }
    const answer = this.#admitOnce(request, { source, key, digest });
    this.#admitting.set(place, { digest, answer });
    try {
      return await answer;
    } finally {
      this.#admitting.delete(place);
    }
  }

  async #admitOnce(request: SubmitRequest, keyed: Keyed): Promise<SubmitAnswer> {
    // While this submit waited for another one, the runtime or the store may have closed.
    if (this.#registry.sealed) {
      return refused('closing');
    }
    const known = await this.#byKey(keyed);
    if (known !== null) {
      return known;
    }
    const answer = await this.#admit(request, keyed.digest);
    return answer.kind === 'refused' && answer.code === 'duplicate_task'
      ? ((await this.#byKey(keyed)) ?? answer)
      : answer;
  }

  async #byKey({ source, key, digest }: Keyed): Promise<SubmitAnswer | null> {
    const id = await this.#context.store.taskByIdempotencyKey(source, key);
    const stored = id === null ? null : await this.#context.store.task(id);
    if (stored === null) {
      return null;
    }
    const { session, row, payload } = stored;
    if (payload.requestDigest !== null && payload.requestDigest !== digest) {
      this.#stats.count('refused_key_reused');
      return refused('key_reused');
    }
    return {
      kind: 'accepted',
      task: row.id,
      session,
      duplicate: true,
      stage: row.stage,
      mergedInto: row.mergedInto,
      endedTasks: [],
      fallback: false,
      waitsFor: this.#waitsFor(session, row.id),
    };
  }

  async #admit(request: SubmitRequest, requestDigest: string | null): Promise<SubmitAnswer> {
    await this.#ready;
    const { session, idempotencyKey = null, requestDigest: _, sentBy, ...written } = request;
    const { lane, mode, priority, whenBusy, onLost, maxAttempts, conversation, model, expiresIn, ...opaque } =
      fullTaskSpec(written, this.#context.expiresIn);
    const { runner, agent } = opaque;
    if (agent !== null && !this.#context.fleet.has(agent)) {
      return refused('unknown_agent');
    }
    if (runner !== null && !this.#registry.runners.has(runner)) {
      return refused('unknown_runner');
    }
    if ((mode === 'code') !== (runner !== null)) {
      return refused('mode_conflict');
    }
    const key = this.#key(session);
    const id = taskId(this.#context.ids());
    const payload: TaskPayload = {
      ...opaque,
      idempotencyKey,
      requestDigest,
      ...(sentBy === undefined ? {} : { sentBy }),
    };
    const at = this.#context.clock.wall();
    const expiresAt = expiresIn === null ? null : at + expiresIn;
    const input: Input = {
      type: 'submit',
      at,
      about: originOf(payload),
      payload,
      assign: agent === null ? { ...this.#context.fleet.usual(key), named: false } : { agent, model, named: true },
      task: {
        id,
        lane,
        mode,
        priority,
        mergeGroup: mergeGroupOf(payload),
        whenBusy,
        onLost,
        maxAttempts,
        conversation,
        expiresAt,
        model,
      },
    };
    const { shares } = this.#registry;
    const place = shares.take(payload.source, lane);
    if (typeof place !== 'function') {
      return this.#full(place);
    }
    // Once it is committed, it counts as an open task of its session.
    const reply = await this.#registry.ask(key, input).finally(place);
    if (reply.kind === 'admitted') {
      const { stage, mergedInto, endedTasks, fallback } = reply;
      const waitsFor = this.#waitsFor(key, id);
      const admitted = { stage, mergedInto, endedTasks, fallback, waitsFor };
      return { kind: 'accepted', task: id, session: key, duplicate: false, ...admitted };
    }
    return reply.kind === 'refused' && reply.code === 'queue_full' ? refusedAsFull(shares.full(key)) : refusal(reply);
  }

  #waitsFor(key: SessionKey, id: TaskId): string | null {
    const actor = this.#registry.live(key);
    const task = actor === null ? undefined : treeGet(actor.committed.tasks, id);
    return actor === null || task === undefined ? null : heldBack(actor, task);
  }

  /** The refusals of the core are counted with its steps. */
  #full(full: Full): SubmitAnswer {
    const answer = refusedAsFull(full);
    this.#stats.count(`refused_${answer.code}`);
    return answer;
  }
}

/**
 * Admission of tasks. Owned by one runtime.
 *
 *  admission/1 An idempotency key makes one task: of submits at the same time one is admitted, the others get its answer.
 *  admission/2 A refused submit stores nothing and leaves its key free for the next try.
 *  admission/3 A submit that was accepted before is answered with its task, however full the daemon is by now.
 */
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

export class Admission {
  readonly #context: Context;
  readonly #registry: Registry;
  readonly #key: KeyResolver;
  readonly #ready: Promise<void>;
  readonly #stats: Stats;
  /** Submits under way by idempotency key. */
  readonly #admitting = new Map<string, Promise<SubmitAnswer>>();

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
      return this.#admit(request);
    }
    for (;;) {
      const other = this.#admitting.get(key);
      if (other === undefined) {
        break;
      }
      const answer = await other.catch(() => null);
      if (answer?.kind === 'accepted') {
        return { ...answer, duplicate: true };
      }
    }
    const admitting = this.#admitOnce(request, key);
    this.#admitting.set(key, admitting);
    try {
      return await admitting;
    } finally {
      this.#admitting.delete(key);
    }
  }

  async #admitOnce(request: SubmitRequest, key: string): Promise<SubmitAnswer> {
    // While this submit waited for another one, the runtime or the store may have closed.
    if (this.#registry.sealed) {
      return refused('closing');
    }
    const known = await this.#byKey(key);
    if (known !== null) {
      return known;
    }
    const answer = await this.#admit(request);
    return answer.kind === 'refused' && answer.code === 'duplicate_task'
      ? ((await this.#byKey(key)) ?? answer)
      : answer;
  }

  async #byKey(key: string): Promise<SubmitAnswer | null> {
    const id = await this.#context.store.taskByIdempotencyKey(key);
    const stored = id === null ? null : await this.#context.store.task(id);
    if (stored === null) {
      return null;
    }
    const { session, row } = stored;
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

  async #admit(request: SubmitRequest): Promise<SubmitAnswer> {
    await this.#ready;
    const { session, idempotencyKey = null, ...written } = request;
    const { lane, mode, priority, whenBusy, onLost, maxAttempts, conversation, model, expiresIn, ...opaque } =
      fullTaskSpec(written, this.#context.expiresIn);
    const { runner } = opaque;
    if (runner !== null && !this.#registry.runners.has(runner)) {
      return refused('unknown_runner');
    }
    if ((mode === 'code') !== (runner !== null)) {
      return refused('mode_conflict');
    }
    const key = this.#key(session);
    const id = taskId(this.#context.ids());
    const payload: TaskPayload = { ...opaque, idempotencyKey };
    const at = this.#context.clock.wall();
    const expiresAt = expiresIn === null ? null : at + expiresIn;
    const input: Input = {
      type: 'submit',
      at,
      about: originOf(payload),
      payload,
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

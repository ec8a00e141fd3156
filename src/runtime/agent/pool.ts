/**
 * Who has an agent slot and a working folder: the shell of `src/core/slots`, which decides it. Owned by one runtime.
 *
 * Messages in: claims of agent hosts, and what their agents do. Out, to the owner of a claim: `granted`, `waits`, `failed`, `asked`. It
 * keeps what the machine does not know: the deadlines, and the lock files of the folders.
 *  pool/1 Inputs are applied one after the other, and the effects of one before the next.
 *  pool/2 A folder is made, and its lock file taken, when its claim is granted. If another process has it, the machine learns that, and
 *         the file is tried again until it is free. A claim that only waits for a slot leaves no trace on the disk: a file that was locked
 *         by such a try is released, unless the folder is granted in the same pass.
 *  pool/3 A start counts until its agent is ready or gone, at most `startShareMs`: a start that hangs delays the others no
 *         longer.
 *  pool/4 A claim is released once; its lock file goes before the next claim is granted.
 *  pool/5 The owner of a claim is told again when it no longer waits for the folder, but for a slot, and the other way round.
 *
 * An agent needs most processor time while it starts. If all start at once, none is ready in time, and the agents that are in
 * a turn wait for a processor too: 200 sessions on two cores made urgent turns 30 s late.
 */
import { actorTask, type Actor } from '../../core/model/actor.ts';
import { claimId, type ClaimId, type SessionKey, type TaskId } from '../../core/model/ids.ts';
import { newSlots } from '../../core/slots/indexes.ts';
import type { Ask, Claim, SlotLimits, Slots, SlotsEffect, SlotsInput, SlotTimer, Use } from '../../core/slots/model.ts';
import { stepSlots } from '../../core/slots/step.ts';
import { treeEntries, treeGet, treeSize } from '../../core/tree.ts';
import type { Clock } from '../clock.ts';
import type { FolderLock, LockOwner } from '../workspace/folder-lock.ts';
import type { Workspaces } from '../workspace/workspaces.ts';

/** More than the longest start of the five clients of `e2e` on an idle machine, 1.7 s. */
export const startShareMs = 2_000;

/** Sessions that a text for a person names. */
const namedMax = 3;

export interface ClaimOwner {
  readonly session: SessionKey;
  /** Its agent is a program that works in a folder. */
  readonly needsFolder: boolean;
  /** The task for which an agent is needed. */
  readonly task: () => TaskId | null;
  /** The agent may be started. `folder`: real path; null: it needs none. */
  readonly granted: (folder: string | null) => void;
  /** It is not granted at once, or it waits for a slot now that its folder is free, or the other way round. */
  readonly waits: (wait: SlotWait) => void;
  /** The folder cannot be made or locked. */
  readonly failed: (error: unknown) => void;
  /** Another session needs the slot or the folder; `turn`: the one that is to give way. */
  readonly asked: (what: Ask, turn: number, by: Actor) => void;
}

/** What a claim waits for, and when it comes before all others (monotonic ms; null: others of its lane are before it, or it does already). */
export type SlotWait = { readonly dueAt: number | null } & (
  | { readonly for: 'slot' | 'start'; readonly limit: number; readonly sessions: readonly SessionKey[] }
  | { readonly for: 'folder'; readonly folder: string; readonly owner: string }
);

interface PoolParts {
  readonly limits: SlotLimits & { readonly maxWaitMs: number; readonly protectedTurnMs: number };
  readonly clock: Clock;
  readonly workspaces: Workspaces | null;
}

/** A folder that another process has. */
interface Foreign {
  readonly owner: LockOwner;
  readonly cancel: () => void;
}

export class AgentPool {
  readonly #parts: PoolParts;
  readonly #claims = new Map<ClaimId, PoolClaim>();
  readonly #timers = new Map<string, { readonly at: number; readonly cancel: () => void }>();
  readonly #locks = new Map<string, FolderLock>();
  readonly #foreign = new Map<string, Foreign>();
  #slots: Slots;
  /** Folders that a claim or another process has left. */
  readonly #left = new Set<string>();
  /** Claims that were granted, and wait again for a folder of another process. */
  readonly #wait = new Set<PoolClaim>();
  /** What the owners of claims that wait were told. */
  readonly #told = new Map<ClaimId, SlotWait['for']>();
  /** Claims that are or were the first at a folder in this pass: only the first may wait for a slot alone. */
  readonly #firsts = new Set<ClaimId>();
  #inputs: SlotsInput[] = [];
  #isStepping = false;
  #lastClaim = 0;

  constructor(parts: PoolParts) {
    this.#parts = parts;
    const { maxAgents, maxStarting, maxPassedOver } = parts.limits;
    this.#slots = newSlots({ maxAgents, maxStarting, maxPassedOver });
  }

  get running(): number {
    return treeSize(this.#slots.granted);
  }

  /** How busy it is. `idle`: agents that make room when others wait. `leaving`: agents whose slots are free in a moment. `waiting`: starts that need nothing but a slot. */
  get load(): { readonly agents: number; readonly idle: number; readonly leaving: number; readonly waiting: number } {
    const { granted, idle, counts, ready } = this.#slots;
    return {
      agents: treeSize(granted),
      idle: treeSize(idle),
      leaving: counts.leaving,
      waiting: treeSize(ready),
    };
  }

  /** Of an agent that is to be started; it waits from `open` on. */
  claim(owner: ClaimOwner): PoolClaim {
    const id = claimId((this.#lastClaim += 1));
    const claim = new PoolClaim(id, owner, {
      take: (input) => this.#take(input),
      open: (urgent) => this.#open(claim, urgent),
      started: () => this.#endShare(id),
      release: () => this.#release(claim),
      waits: () => treeGet(this.#slots.claims, id)?.grant === null,
      wait: () => this.#waitOf(id),
    });
    return claim;
  }

  /** Nothing of the session is open any more. */
  forget(session: SessionKey): void {
    this.#take({ type: 'forget', session });
  }

  /** No further agent is started. */
  close(): void {
    this.#take({ type: 'close' });
  }

  #open(claim: PoolClaim, urgent: boolean): void {
    const { id, owner } = claim;
    const { workspaces } = this.#parts;
    const { session } = owner;
    let folder: string | null = null;
    let foreign: LockOwner | null = null;
    try {
      if (workspaces !== null && owner.needsFolder) {
        folder = workspaces.nameOf(session);
        const isKnown = treeGet(this.#slots.folders, folder) !== undefined;
        foreign = isKnown ? null : workspaces.ownerOf(folder);
      }
    } catch (error) {
      owner.failed(error);
      return;
    }
    this.#claims.set(id, claim);
    if (folder !== null && foreign !== null) {
      this.#isForeign(folder, session, foreign);
    }
    this.#take({ type: 'claim', claim: id, session, folder, foreign: foreign !== null, urgent });
    this.#tellWait(claim);
  }

  #tellWait({ id, owner }: PoolClaim): void {
    const wait = this.#waitOf(id);
    if (wait !== null) {
      this.#told.set(id, wait.for);
      owner.waits(wait);
    }
  }

  #tellChange(id: ClaimId): void {
    const [claim, told, wait] = [this.#claims.get(id), this.#told.get(id), this.#waitOf(id)];
    const isOther = told !== undefined && wait !== null && (wait.for === 'folder') !== (told === 'folder');
    if (claim !== undefined && isOther) {
      this.#tellWait(claim);
    }
  }

  #take(input: SlotsInput): void {
    this.#inputs.push(input);
    if (this.#isStepping) {
      return;
    }
    this.#isStepping = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        const { slots, effects } = stepSlots(this.#slots, next);
        const folder = folderOf(this.#slots, next);
        this.#noteFirst(folder);
        this.#slots = slots;
        this.#noteFirst(folder);
        for (const effect of effects) {
          this.#run(effect);
        }
      }
    } finally {
      this.#isStepping = false;
    }
    const [left, wait, firsts] = [[...this.#left], [...this.#wait], [...this.#firsts]];
    this.#left.clear();
    this.#wait.clear();
    this.#firsts.clear();
    left.forEach((folder) => this.#leaveFolder(folder));
    wait.forEach((claim) => this.#tellWait(claim));
    firsts.forEach((id) => this.#tellChange(id));
  }

  #noteFirst(folder: string | null): void {
    const first = folder === null ? null : (treeGet(this.#slots.folders, folder)?.first ?? null);
    if (first !== null) {
      this.#firsts.add(first);
    }
  }

  #run(effect: SlotsEffect): void {
    switch (effect.type) {
      case 'grant':
        this.#grant(effect.claim);
        return;
      case 'arm':
        this.#arm(effect.name, effect.claim);
        return;
      case 'disarm':
        this.#disarm(`${effect.name} ${effect.claim}`);
        return;
      case 'make-room':
      case 'give-way':
      case 'hand-over': {
        const task = this.#claims.get(effect.waiter)?.owner.task() ?? null;
        const by: Actor = task === null ? { kind: 'daemon', name: 'daemon' } : actorTask(task);
        const turn = effect.type === 'give-way' ? effect.turn : 0;
        this.#claims.get(effect.claim)?.owner.asked(effect.type, turn, by);
        return;
      }
    }
  }

  #arm(name: SlotTimer, claim: ClaimId): void {
    const { clock, limits } = this.#parts;
    const key = `${name} ${claim}`;
    const fire = (): void => {
      this.#timers.delete(key);
      this.#take({ type: 'timer', name, claim });
    };
    const ms = name === 'wait' ? limits.maxWaitMs : limits.protectedTurnMs;
    this.#timers.set(key, { at: clock.now() + ms, cancel: clock.timer(ms, fire) });
  }

  #disarm(key: string): void {
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
  }

  #grant(id: ClaimId): void {
    const claim = this.#claims.get(id);
    const folder = treeGet(this.#slots.claims, id)?.folder ?? null;
    if (claim === undefined) {
      return;
    }
    this.#told.delete(id);
    const { owner } = claim;
    let real = folder;
    if (folder !== null) {
      try {
        real = this.#lock(folder, owner.session);
      } catch (error) {
        owner.failed(error);
        return;
      }
      if (real === null) {
        this.#take({ type: 'foreign', claim: id });
        this.#wait.add(claim);
        return;
      }
    }
    const { clock } = this.#parts;
    const cancel = clock.timer(startShareMs, () => this.#endShare(id));
    this.#timers.set(`share ${id}`, { at: clock.now() + startShareMs, cancel });
    owner.granted(real);
  }

  #endShare(id: ClaimId): void {
    const key = `share ${id}`;
    if (this.#timers.has(key)) {
      this.#disarm(key);
      this.#take({ type: 'started', claim: id });
    }
  }

  /** Its real path; null: another process has it. */
  #lock(folder: string, session: SessionKey): string | null {
    const { workspaces } = this.#parts;
    if (workspaces === null || this.#locks.has(folder)) {
      return folder;
    }
    const got = workspaces.take(folder, session);
    if ('pid' in got) {
      this.#isForeign(folder, session, got);
      return null;
    }
    this.#locks.set(folder, got);
    return folder;
  }

  #isForeign(folder: string, session: SessionKey, owner: LockOwner): void {
    this.#foreign.get(folder)?.cancel();
    const cancel =
      this.#parts.workspaces?.waitFor(folder, session, (lock) => {
        this.#foreign.delete(folder);
        if (lock !== null) {
          this.#locks.set(folder, lock);
        }
        this.#left.add(folder);
        this.#take({ type: 'folder-free', folder });
      }) ?? (() => {});
    this.#foreign.set(folder, { owner, cancel });
  }

  #release({ id }: PoolClaim): void {
    const claim = treeGet(this.#slots.claims, id);
    this.#disarm(`share ${id}`);
    if (claim?.grant !== null && claim?.grant !== undefined && claim.folder !== null) {
      this.#unlock(claim.folder);
    }
    if (claim !== undefined && claim.folder !== null) {
      this.#left.add(claim.folder);
    }
    this.#claims.delete(id);
    this.#told.delete(id);
    this.#take({ type: 'release', claim: id });
  }

  /** It is locked for a granted claim alone, and tried again as long as a claim names it. */
  #leaveFolder(folder: string): void {
    const known = treeGet(this.#slots.folders, folder);
    if (known === undefined || known.holder === null) {
      this.#unlock(folder);
    }
    if (known === undefined) {
      this.#foreign.get(folder)?.cancel();
      this.#foreign.delete(folder);
    }
  }

  #unlock(folder: string): void {
    this.#locks.get(folder)?.release();
    this.#locks.delete(folder);
  }

  #waitOf(id: ClaimId): SlotWait | null {
    const { claims, folders, limits, granted } = this.#slots;
    const claim = treeGet(claims, id);
    if (claim === undefined || claim.grant !== null) {
      return null;
    }
    const dueAt = this.#timers.get(`wait ${id}`)?.at ?? null;
    const folder = claim.folder === null ? undefined : treeGet(folders, claim.folder);
    if (claim.folder !== null && folder !== undefined && claim.wants !== 'ready') {
      const owner = this.#ownerOf(claim, claim.folder);
      if (owner !== null) {
        return { for: 'folder', folder: claim.folder, owner, dueAt };
      }
    }
    const isFull = treeSize(granted) >= limits.maxAgents;
    const sessions: SessionKey[] = [];
    for (const [, other] of treeEntries(granted)) {
      const known = treeGet(claims, other);
      if (sessions.length === namedMax || known === undefined) {
        break;
      }
      sessions.push(known.session);
    }
    return { for: isFull ? 'slot' : 'start', limit: isFull ? limits.maxAgents : limits.maxStarting, sessions, dueAt };
  }

  #ownerOf({ id }: Claim, name: string): string | null {
    const folder = treeGet(this.#slots.folders, name);
    const other = this.#foreign.get(name)?.owner;
    if (other !== undefined) {
      return this.#parts.workspaces?.describe(other) ?? `process ${other.pid}`;
    }
    const holder = folder?.holder ?? folder?.first ?? null;
    const claim = holder === null || holder === id ? undefined : treeGet(this.#slots.claims, holder);
    return claim === undefined ? null : `session ${claim.session}`;
  }
}

/** The folder that an input may change. */
function folderOf({ claims }: Slots, input: SlotsInput): string | null {
  if ('folder' in input) {
    return input.folder;
  }
  return 'claim' in input ? (treeGet(claims, input.claim)?.folder ?? null) : null;
}

interface ClaimActions {
  readonly take: (input: SlotsInput) => void;
  readonly open: (urgent: boolean) => void;
  readonly started: () => void;
  readonly release: () => void;
  readonly waits: () => boolean;
  readonly wait: () => SlotWait | null;
}

/** The claim of one agent, for its host. */
export class PoolClaim {
  readonly id: ClaimId;
  readonly owner: ClaimOwner;
  readonly #actions: ClaimActions;
  #isOpen = false;
  #urgent = false;
  #use: Use = 'starting';
  #turn = 0;

  constructor(id: ClaimId, owner: ClaimOwner, actions: ClaimActions) {
    this.id = id;
    this.owner = owner;
    this.#actions = actions;
  }

  get waits(): boolean {
    return this.#isOpen && this.#actions.waits();
  }

  /** Null: it is granted, or over. */
  get wait(): SlotWait | null {
    return this.#isOpen ? this.#actions.wait() : null;
  }

  open(urgent: boolean): void {
    this.#isOpen = true;
    this.#urgent = urgent;
    this.#actions.open(urgent);
  }

  set urgent(urgent: boolean) {
    if (this.#isOpen && urgent !== this.#urgent) {
      this.#urgent = urgent;
      this.#actions.take({ type: 'urgency', claim: this.id, urgent });
    }
  }

  /** The agent has started. */
  started(): void {
    this.#actions.started();
  }

  /** What the agent does now, in which turn. */
  uses(use: Exclude<Use, 'starting'>, turn: number): void {
    if (this.#isOpen && (use !== this.#use || turn !== this.#turn)) {
      this.#use = use;
      this.#turn = turn;
      this.#actions.take({ type: 'use', claim: this.id, use, turn });
    }
  }

  /** The session was in another state than the one in which it was asked. */
  declined(): void {
    if (this.#isOpen) {
      this.#actions.take({ type: 'declined', claim: this.id });
    }
  }

  /** The agent is gone, or is not needed any more. */
  release(): void {
    if (this.#isOpen) {
      this.#isOpen = false;
      this.#actions.release();
    }
  }
}

/**
 * The one pure transition function of what sessions share: agent slots and folders. Like that of a session it reads no clock and makes no ids;
 * the same state and input give the same effects, in production and in the model checker. See SPEC.md.
 */
import { invariant } from '../errors.ts';
import { claimId, type ClaimId } from '../model/ids.ts';
import { treeFirst, treeGet, treeNeighbours, treePut, treeRemove, treeSize, type Tree } from '../tree.ts';
import {
  canHandOver,
  folderOf,
  isDue,
  isIdle,
  isLeaving,
  isVictim,
  mustClaim,
  put,
  putFolder,
  refresh,
  type SlotsDraft,
} from './indexes.ts';
import type { Ask, Claim, Grant, LineKey, Slots, SlotsEffect, SlotsInput, SlotsResult, Use } from './model.ts';

const nothing: readonly SlotsEffect[] = [];

/** An input that names a claim which is not there, or is in another state, changes nothing. */
export function stepSlots(slots: Slots, input: SlotsInput): SlotsResult {
  const d: SlotsDraft = { s: { ...slots }, effects: [], folders: new Set() };
  if (!apply(d, input)) {
    return { slots, effects: nothing };
  }
  settle(d);
  return { slots: d.s, effects: d.effects };
}

function apply(d: SlotsDraft, input: SlotsInput): boolean {
  switch (input.type) {
    case 'claim':
      return claim(d, input);
    case 'folder-free':
      return folderFree(d, input.folder);
    case 'forget':
      d.s.gaveWay = treeRemove(d.s.gaveWay, input.session);
      return true;
    case 'close':
      d.s.closed = true;
      return true;
    case 'urgency':
    case 'use':
    case 'started':
    case 'declined':
    case 'foreign':
    case 'release':
    case 'timer': {
      const known = treeGet(d.s.claims, input.claim);
      return known !== undefined && ofClaim(d, known, input);
    }
  }
}

type ClaimInput = Exclude<SlotsInput, { type: 'claim' | 'folder-free' | 'forget' | 'close' }>;

function ofClaim(d: SlotsDraft, known: Claim, input: ClaimInput): boolean {
  const { grant } = known;
  switch (input.type) {
    case 'urgency':
      put(d, known.id, { ...known, urgent: input.urgent });
      return true;
    case 'release':
      release(d, known);
      return true;
    case 'timer':
      return input.name === 'wait' ? waited(d, known) : unprotected(d, known);
    case 'use':
      return grant !== null && uses(d, known, grant, input);
    case 'started':
      return grant?.starts === true && set(d, known, { ...grant, starts: false });
    case 'declined':
      // Asked to give way in a turn that was over by then, it hands over at the end of the next one.
      return grant !== null && set(d, known, { ...grant, asked: grant.asked === 'give-way' ? 'hand-over' : null });
    case 'foreign':
      return grant !== null && foreign(d, known);
  }
}

function set(d: SlotsDraft, known: Claim, grant: Grant): true {
  put(d, known.id, { ...known, grant });
  return true;
}

function claim(d: SlotsDraft, input: Extract<SlotsInput, { type: 'claim' }>): boolean {
  const { claim: id, session, folder, urgent } = input;
  invariant(treeGet(d.s.claims, id) === undefined, 'each claim has its own number');
  const passes = treeGet(d.s.gaveWay, session) ?? 0;
  d.s.gaveWay = treeRemove(d.s.gaveWay, session);
  put(d, id, { id, session, folder, urgent, passes, grant: null, wants: folder === null ? 'ready' : null });
  if (folder !== null && input.foreign) {
    putFolder(d, folder, { ...folderOf(d, folder), foreign: true });
  }
  return true;
}

/** A session that gave way keeps its count until it has had a turn; the turn that it gave up is one more. */
function release(d: SlotsDraft, known: Claim): void {
  const { id, session, grant } = known;
  if (grant?.asked === 'give-way') {
    d.s.gaveWay = treePut(d.s.gaveWay, session, Math.min(known.passes + 1, d.s.limits.maxPassedOver));
  }
  if (grant?.protected === true) {
    d.effects.push({ type: 'disarm', name: 'protected', claim: id });
  }
  put(d, id, null);
  leaveFolder(d, known, false);
}

function leaveFolder(d: SlotsDraft, { id, folder }: Claim, isForeign: boolean): void {
  if (folder !== null) {
    const known = folderOf(d, folder);
    putFolder(d, folder, {
      ...known,
      holder: known.holder === id ? null : known.holder,
      foreign: known.foreign || isForeign,
    });
  }
}

/** It waits again, at its old place. */
function foreign(d: SlotsDraft, known: Claim): boolean {
  if (known.grant?.protected === true) {
    d.effects.push({ type: 'disarm', name: 'protected', claim: known.id });
  }
  put(d, known.id, { ...known, grant: null, wants: null });
  leaveFolder(d, known, true);
  return true;
}

function folderFree(d: SlotsDraft, name: string): boolean {
  const folder = treeGet(d.s.folders, name);
  if (folder === undefined || !folder.foreign) {
    return false;
  }
  putFolder(d, name, { ...folder, foreign: false });
  return true;
}

/** An agent that is ready may be held back, or take a turn of its own, before the first turn that its session waits for. */
const isTurn = (use: Use): boolean => use === 'background' || use === 'shielded';

function uses(d: SlotsDraft, known: Claim, grant: Grant, input: Extract<SlotsInput, { type: 'use' }>): boolean {
  const { use, turn } = input;
  if (grant.use === use && grant.turn === turn) {
    return false;
  }
  const hadTurn = isTurn(grant.use) && !(isTurn(use) && grant.turn === turn);
  d.s.numbers += 1;
  const next: Grant = { ...grant, use, turn, since: d.s.numbers };
  put(d, known.id, { ...known, grant: next });
  if (hadTurn && use !== 'ending') {
    return hadItsTurn(d, mustClaim(d, known.id));
  }
  return true;
}

/** Its count and its protection end. */
function hadItsTurn(d: SlotsDraft, known: Claim): true {
  const { grant } = known;
  if (grant?.protected === true) {
    d.effects.push({ type: 'disarm', name: 'protected', claim: known.id });
  }
  if (grant !== null && (grant.protected || known.passes > 0)) {
    put(d, known.id, { ...known, passes: 0, grant: { ...grant, protected: false } });
  }
  return true;
}

function waited(d: SlotsDraft, known: Claim): boolean {
  const { urgent, background } = d.s.waits;
  if (known.id !== urgent && known.id !== background) {
    return false;
  }
  d.s.waits = { urgent: urgent === known.id ? null : urgent, background: background === known.id ? null : background };
  put(d, known.id, { ...known, passes: d.s.limits.maxPassedOver });
  return true;
}

function unprotected(d: SlotsDraft, known: Claim): boolean {
  const { grant } = known;
  if (grant === null || !grant.protected) {
    return false;
  }
  put(d, known.id, { ...known, passes: 0, grant: { ...grant, protected: false } });
  return true;
}

/** What follows from the facts: who gets a slot, and who is asked for one. */
function settle(d: SlotsDraft): void {
  const asks = new Set<string>();
  refreshAll(d, asks);
  if (!d.s.closed) {
    for (let next = firstReady(d.s); next !== null; next = firstReady(d.s)) {
      grant(d, next);
      refreshAll(d, asks);
    }
    for (const name of asks) {
      askForFolder(d, name);
    }
    refreshAll(d, asks);
    askForSlots(d, asks);
  }
  setTimers(d);
}

function refreshAll(d: SlotsDraft, seen: Set<string>): void {
  for (const name of d.folders) {
    seen.add(name);
    refresh(d, name);
  }
  d.folders.clear();
}

function firstReady({ granted, limits, counts, ready }: Slots): ClaimId | null {
  const hasRoom = treeSize(granted) < limits.maxAgents && counts.starting < limits.maxStarting;
  return hasRoom ? (treeFirst(ready)?.value ?? null) : null;
}

function grant(d: SlotsDraft, id: ClaimId): void {
  const known = mustClaim(d, id);
  passOver(d, known);
  d.s.numbers += 1;
  const isProtected = isDue(d.s.limits, known);
  const given: Grant = {
    at: d.s.numbers,
    since: d.s.numbers,
    use: 'starting',
    starts: true,
    turn: 0,
    protected: isProtected,
    asked: null,
  };
  put(d, id, { ...known, grant: given, wants: null });
  if (known.folder !== null) {
    putFolder(d, known.folder, { ...folderOf(d, known.folder), holder: id });
  }
  d.effects.push({ type: 'grant', claim: id });
  if (isProtected) {
    d.effects.push({ type: 'arm', name: 'protected', claim: id });
  }
}

/** The oldest background claim that could have had the slot, and the oldest that waits for the folder, are passed over. */
function passOver(d: SlotsDraft, granted: Claim): void {
  const slot = oldestBackground(d.s.ready);
  const folder = granted.folder === null ? null : oldestBackground(folderOf(d, granted.folder).line);
  for (const id of new Set([slot, folder])) {
    if (id !== null && id !== granted.id) {
      const known = mustClaim(d, id);
      put(d, id, { ...known, passes: known.passes + 1 });
    }
  }
}

const firstBackground: LineKey = { rank: 2, id: claimId(0) };

const oldestBackground = (line: Tree<LineKey, ClaimId>): ClaimId | null =>
  treeNeighbours(line, firstBackground).from?.value ?? null;

/** The first claim that waits for a folder asks the one that has it. An urgent one interrupts its turn, though due ones are before it. */
function askForFolder(d: SlotsDraft, name: string): void {
  const { first, holder, foreign: isForeign, urgent: urgents } = folderOf(d, name);
  if (first === null || holder === null || isForeign) {
    return;
  }
  const waiter = mustClaim(d, first);
  const owner = mustClaim(d, holder);
  const urgent = treeFirst(urgents)?.key ?? null;
  if (isLeaving(owner)) {
    return;
  }
  if (isIdle(owner)) {
    ask(d, owner, isDue(d.s.limits, waiter) ? 'hand-over' : 'make-room', waiter.id);
  } else if (urgent !== null && isVictim(owner)) {
    ask(d, owner, 'give-way', urgent);
  } else if (isDue(d.s.limits, waiter) && canHandOver(owner)) {
    ask(d, owner, 'hand-over', waiter.id);
  }
}

/** No more are asked than wait for it and will not get one of those that come free. */
function askForSlots(d: SlotsDraft, seen: Set<string>): void {
  for (let next = nextAsk(d); next !== null; next = nextAsk(d)) {
    ask(d, mustClaim(d, next.claim), next.what, next.waiter);
    refreshAll(d, seen);
  }
}

function nextAsk({ s }: SlotsDraft): { readonly claim: ClaimId; readonly what: Ask; readonly waiter: ClaimId } | null {
  const { ready, soon, counts, limits, granted, wantUrgently, wantDue } = s;
  const comes = limits.maxAgents - treeSize(granted) + counts.leaving;
  const first = treeFirst(ready) ?? treeFirst(soon);
  const idle = treeFirst(s.idle);
  if (first !== null && idle !== null && treeSize(ready) + treeSize(soon) > comes) {
    // An agent may have a turn again before it is asked for room, each time. What was asked to hand over does so then.
    return { claim: idle.value, what: first.key.rank === 0 ? 'hand-over' : 'make-room', waiter: first.value };
  }
  const urgent = treeFirst(wantUrgently);
  const victim = treeFirst(s.victims);
  if (urgent !== null && victim !== null && treeSize(wantUrgently) > comes) {
    return { claim: victim.value, what: 'give-way', waiter: urgent.key };
  }
  const due = treeFirst(wantDue);
  const host = treeFirst(s.hosts);
  if (due !== null && host !== null && treeSize(wantDue) > comes + counts.handing) {
    return { claim: host.value, what: 'hand-over', waiter: due.key };
  }
  return null;
}

function ask(d: SlotsDraft, known: Claim, what: Ask, waiter: ClaimId): void {
  const { id } = known;
  invariant(known.grant !== null, 'an agent is asked');
  put(d, id, { ...known, grant: { ...known.grant, asked: what } });
  d.effects.push(
    what === 'give-way' ? { type: what, claim: id, turn: known.grant.turn, waiter } : { type: what, claim: id, waiter },
  );
}

/** The oldest claim of each lane that waits and is not due. */
function setTimers(d: SlotsDraft): void {
  const was = d.s.waits;
  const is = {
    urgent: treeFirst(d.s.urgent)?.key ?? null,
    background: treeFirst(d.s.background)?.key ?? null,
  };
  const [before, after] = [
    [was.urgent, was.background],
    [is.urgent, is.background],
  ] as const;
  for (const id of before) {
    if (id !== null && !after.includes(id)) {
      d.effects.push({ type: 'disarm', name: 'wait', claim: id });
    }
  }
  for (const id of after) {
    if (id !== null && !before.includes(id)) {
      d.effects.push({ type: 'arm', name: 'wait', claim: id });
    }
  }
  d.s.waits = is;
}

/** What must hold of each step of the slots. Everything is computed from the claims alone, by walks: the indexes are what is judged. */
import type { Claim, Folder, Slots, SlotsEffect, SlotsInput } from '../../src/core/slots/model.ts';
import { treeGet, treeValues } from '../../src/core/tree.ts';
import type { Found, Party, World } from './world.ts';

interface Claims {
  readonly waiting: readonly Claim[];
  readonly granted: readonly Claim[];
}

/** Each state is looked at by several oracles. */
const known = new WeakMap<Slots, Claims>();

function claimsOf(slots: Slots): Claims {
  let claims = known.get(slots);
  if (claims === undefined) {
    const all = treeValues(slots.claims);
    claims = {
      waiting: all.filter(({ grant }) => grant === null),
      granted: all.filter(({ grant }) => grant !== null),
    };
    known.set(slots, claims);
  }
  return claims;
}

const waiting = (slots: Slots): readonly Claim[] => claimsOf(slots).waiting;
const granted = (slots: Slots): readonly Claim[] => claimsOf(slots).granted;

const isDue = ({ limits }: Slots, { passes }: Claim): boolean => passes >= limits.maxPassedOver;
const rank = (slots: Slots, claim: Claim): number => (isDue(slots, claim) ? 0 : claim.urgent ? 1 : 2);
const isBefore = (slots: Slots, a: Claim, b: Claim): boolean =>
  rank(slots, a) < rank(slots, b) || (rank(slots, a) === rank(slots, b) && a.id < b.id);

const leaves = ({ grant }: Claim): boolean =>
  grant !== null &&
  (grant.use === 'ending' ||
    grant.asked === 'make-room' ||
    grant.asked === 'give-way' ||
    (grant.asked === 'hand-over' && grant.use === 'idle'));

const folderOf = (slots: Slots, { folder }: Claim): Folder | null =>
  folder === null ? null : (treeGet(slots.folders, folder) ?? null);

/** The granted claim that has the folder of this one. */
const holderFor = (slots: Slots, claim: Claim): Claim | null =>
  granted(slots).find(({ folder }) => folder !== null && folder === claim.folder) ?? null;

/** It could be granted if there were a slot. */
const isFree = (slots: Slots, claim: Claim): boolean =>
  claim.folder === null || (holderFor(slots, claim) === null && folderOf(slots, claim)?.foreign !== true);

const isFirst = (slots: Slots, claim: Claim): boolean =>
  claim.folder === null ||
  waiting(slots).every((other) => other.folder !== claim.folder || !isBefore(slots, other, claim));

/** It waits for a slot: for that alone, or for one whose holder is about to leave its folder. */
function wants(slots: Slots, claim: Claim): boolean {
  if (!isFirst(slots, claim)) {
    return false;
  }
  const holder = holderFor(slots, claim);
  return isFree(slots, claim) || (holder !== null && leaves(holder) && folderOf(slots, claim)?.foreign !== true);
}

const hasRoom = (slots: Slots): boolean => {
  const { maxAgents, maxStarting } = slots.limits;
  const all = granted(slots);
  return all.length < maxAgents && all.filter(({ grant }) => grant?.starts === true).length < maxStarting;
};

/** Slots that are free, or about to be. */
const comes = (slots: Slots): number =>
  slots.limits.maxAgents - granted(slots).length + granted(slots).filter(leaves).length;

export function judge(
  before: World,
  input: SlotsInput,
  effects: readonly SlotsEffect[],
  after: World,
  found: Found,
): void {
  bounds(after, found);
  grants(before.slots, input, effects, after.slots, found);
  asks(before, effects, after, found);
  if (!after.slots.closed) {
    nothingIsLeft(after.slots, found);
  } else if (effects.some(({ type }) => type !== 'disarm' && type !== 'arm')) {
    found('slots/9: nothing is granted or asked for after the close', JSON.stringify(effects));
  }
  deadlines(after, found);
  leavers(after, found);
  passes(before.slots, effects, after.slots, found);
  counts(before.slots, input, after.slots, found);
  facts(before.slots, input, after, found);
}

function bounds({ slots, parties }: World, found: Found): void {
  const all = granted(slots);
  if (all.length > slots.limits.maxAgents) {
    found('slots/1: never more agents than slots', `${all.length} have one`);
  }
  if (parties.filter(({ use }) => use === 'starting').length > slots.limits.maxStarting) {
    found('slots/1: never more starts than allowed', `${all.length}`);
  }
  const folders = all.flatMap(({ folder }) => (folder === null ? [] : [folder]));
  if (new Set(folders).size !== folders.length) {
    found('slots/2: one session for each folder', folders.join());
  }
  for (const claim of all) {
    if (folderOf(slots, claim)?.foreign === true) {
      found('slots/2: no claim has a folder of another process', `${claim.session}`);
    }
    if (claim.folder !== null && folderOf(slots, claim)?.holder !== claim.id) {
      found('slots/2: the folder of a granted claim is its own', `${claim.session}`);
    }
  }
}

/** Each grant went to the first of those that could have had it; the grants of one step are judged in their order. */
function grants(before: Slots, input: SlotsInput, effects: readonly SlotsEffect[], after: Slots, found: Found): void {
  const given = effects.flatMap((effect) => (effect.type === 'grant' ? [effect.claim] : []));
  const last = given.at(-1);
  const claim = last === undefined ? undefined : treeGet(after.claims, last);
  if (claim === undefined) {
    return;
  }
  // What still waits, and could have been granted in its place: its folder was free before this grant.
  const holderIsNew = (other: Claim): boolean => other.folder !== null && other.folder === claim.folder;
  const passed = waiting(after).find(
    (other) =>
      (isFree(after, other) || (holderIsNew(other) && folderOf(after, other)?.foreign !== true)) &&
      // It may have become due by this very grant.
      isBefore(after, { ...other, passes: treeGet(before.claims, other.id)?.passes ?? other.passes }, claim) &&
      given.length === 1 &&
      input.type !== 'timer',
  );
  if (passed !== undefined) {
    found('slots/3: the first is granted first', `${claim.session} before ${passed.session}`);
  }
}

const partyOf = ({ parties }: World, id: Claim['id']): Party | null =>
  parties.find(({ claim }) => claim === id) ?? null;

function asks(before: World, effects: readonly SlotsEffect[], after: World, found: Found): void {
  const { slots } = after;
  for (const effect of effects) {
    if (effect.type !== 'make-room' && effect.type !== 'give-way' && effect.type !== 'hand-over') {
      continue;
    }
    const victim = treeGet(slots.claims, effect.claim);
    const waiter = treeGet(slots.claims, effect.waiter);
    const grant = victim?.grant ?? null;
    if (victim === undefined || waiter === undefined || grant === null || waiter.grant !== null) {
      found('slots/4: a claim that waits asks one that is granted', JSON.stringify(effect));
      continue;
    }
    const inbox = partyOf(before, effect.claim)?.inbox ?? null;
    if (inbox !== null && !(inbox.what === 'hand-over' && effect.type === 'give-way')) {
      found('slots/4: a session is asked for one thing at a time', JSON.stringify(effect));
    }
    if (effect.type === 'make-room' && grant.use !== 'idle') {
      found('slots/4: only an idle agent makes room', grant.use);
    }
    if (effect.type === 'give-way') {
      giveWay(before.slots, { victim, waiter, turn: effect.turn }, found);
    }
    if (effect.type === 'hand-over' && (!isDue(slots, waiter) || grant.use === 'ending')) {
      found('slots/7: only a due claim asks a session to hand over, which can', JSON.stringify(effect));
    }
  }
  // What is asked of the session that has the folder is asked though slots are free.
  const isForSlot = effects.some((effect) => {
    const isQuick = effect.type === 'make-room' || effect.type === 'give-way';
    const folder = isQuick ? treeGet(slots.claims, effect.claim)?.folder : null;
    return isQuick && (folder === null || folder !== treeGet(slots.claims, effect.waiter)?.folder);
  });
  if (isForSlot && comes(slots) > waiting(slots).filter((claim) => wants(slots, claim)).length) {
    found('slots/4: nothing is asked for in vain', `${comes(slots)} slots are about to be free`);
  }
  const victims = granted(slots).filter(({ grant }) => grant?.asked === 'give-way' && grant.use !== 'ending').length;
  const urgent = waiting(slots).filter((claim) => claim.urgent).length;
  const isAsked = effects.some(({ type }) => type === 'give-way');
  if (isAsked && victims > urgent) {
    found('slots/5: never more turns give way than urgent claims wait', `${victims} for ${urgent}`);
  }
}

function giveWay(
  before: Slots,
  { victim, waiter, turn }: { readonly victim: Claim; readonly waiter: Claim; readonly turn: number },
  found: Found,
): void {
  const grant = victim.grant;
  if (!waiter.urgent) {
    found('slots/5: only an urgent claim interrupts', `${waiter.session} interrupts ${victim.session}`);
  }
  if (grant === null || grant.use !== 'background' || grant.turn !== turn) {
    found('slots/5: only a background turn is interrupted', `${victim.session}: ${grant?.use ?? 'none'}`);
  }
  const isProtected = grant !== null && grant.protected;
  const was = treeGet(before.claims, victim.id);
  if (isProtected && was?.grant?.protected === true) {
    found('slots/6: a protected turn is not interrupted', `${victim.session}`);
  }
}

/** The escapes: whatever can be done for a claim that waits has been done. */
function nothingIsLeft(slots: Slots, found: Found): void {
  const all = waiting(slots);
  const held = granted(slots);
  if (hasRoom(slots) && all.some((claim) => isFree(slots, claim))) {
    found('slots/3: no slot is free while a claim could have it', all.map(({ session }) => session).join());
  }
  const wanting = all.filter((claim) => wants(slots, claim));
  const isIdle = ({ grant }: Claim): boolean => grant?.use === 'idle' && grant.asked === null;
  const isVictim = (claim: Claim): boolean =>
    claim.grant?.use === 'background' && !claim.grant.protected && !leaves(claim);
  const canHandOver = ({ grant }: Claim): boolean =>
    (grant?.use === 'background' || grant?.use === 'shielded' || grant?.use === 'kept') && grant.asked === null;
  const handing = held.filter((claim) => claim.grant?.asked === 'hand-over' && !leaves(claim)).length;
  if (wanting.length > comes(slots) && held.some(isIdle)) {
    found('slots/4: an idle agent is asked to make room for a claim', wanting.map(({ session }) => session).join());
  }
  if (wanting.filter(({ urgent }) => urgent).length > comes(slots) && held.some(isVictim)) {
    found('slots/5: a background turn gives way to an urgent claim', wanting.map(({ session }) => session).join());
  }
  if (wanting.filter((claim) => isDue(slots, claim)).length > comes(slots) + handing && held.some(canHandOver)) {
    found('slots/7: a session is asked to hand over to a due claim', wanting.map(({ session }) => session).join());
  }
  for (const claim of all.filter((one) => isFirst(slots, one) && !isFree(slots, one))) {
    const holder = holderFor(slots, claim);
    const escapes = [isIdle, ...(claim.urgent ? [isVictim] : []), ...(isDue(slots, claim) ? [canHandOver] : [])];
    if (holder !== null && !leaves(holder) && escapes.some((escape) => escape(holder))) {
      found('slots/4: the session that has a folder is asked for it', `${claim.session}`);
    }
  }
  for (const claim of all.filter(({ urgent }) => urgent)) {
    const holder = holderFor(slots, claim);
    if (holder !== null && isVictim(holder)) {
      found('slots/5: a background turn gives way to each urgent claim that waits for its folder', `${claim.session}`);
    }
  }
}

/** Exactly the deadlines of the table are armed. */
function deadlines({ slots, waits, windows }: World, found: Found): void {
  const undue = waiting(slots).filter((claim) => !isDue(slots, claim));
  const firsts = [true, false].flatMap((urgent) => undue.find((claim) => claim.urgent === urgent)?.id ?? []);
  if (firsts.length !== waits.size || firsts.some((id) => !waits.has(id))) {
    found('slots/8: the oldest of each lane has a deadline', `${firsts.join()} and not ${[...waits].join()}`);
  }
  const protectedOnes = granted(slots).filter(({ grant }) => grant?.protected === true);
  if (protectedOnes.length !== windows.size || protectedOnes.some(({ id }) => !windows.has(id))) {
    found('slots/8: each protected claim has a deadline', `${protectedOnes.length} and ${windows.size}`);
  }
}

/** What a session will do at the end of its turn is known: else another one would be asked, too. */
function leavers(world: World, found: Found): void {
  for (const { leaves: isLeaving, claim, key } of world.parties) {
    if (isLeaving && claim !== null && treeGet(world.slots.claims, claim)?.grant?.asked === null) {
      found('slots/7: the slots know which sessions hand over', key);
    }
  }
}

/** The grant of one step passed over the oldest background claim that could have had the slot, and the oldest that waits for its folder. */
function passes(before: Slots, effects: readonly SlotsEffect[], after: Slots, found: Found): void {
  const given = effects.flatMap((effect) => (effect.type === 'grant' ? [effect.claim] : []));
  const [only] = given;
  const claim = only === undefined ? undefined : treeGet(after.claims, only);
  if (claim === undefined || given.length !== 1) {
    return;
  }
  const inLine = waiting(before).filter((other) => rank(before, other) === 2);
  const slot = inLine.find(
    (other) => (other.folder === null || other.folder !== claim.folder) && wants(after, other) && isFree(after, other),
  );
  const atFolder = claim.folder === null ? undefined : inLine.find(({ folder }) => folder === claim.folder);
  // A claim that waits for the same folder could have had it only as the first.
  for (const other of [atFolder, slot]) {
    const is = other === undefined ? undefined : treeGet(after.claims, other.id);
    const isOlder = slot === undefined || atFolder === undefined || other === atFolder || slot.id < atFolder.id;
    if (other !== undefined && is !== undefined && other.id !== claim.id && isOlder && is.passes <= other.passes) {
      found('slots/6: who is passed over is counted', `${other.session} by ${claim.session}`);
    }
  }
}

/** What the slots were told they know; the count and the protection of a claim end with a turn, or with the window. */
function facts(before: Slots, input: SlotsInput, { slots, parties }: World, found: Found): void {
  for (const { claim: id, urgent, key } of parties) {
    const claim = id === null ? undefined : treeGet(slots.claims, id);
    if (claim !== undefined && claim.urgent !== urgent) {
      found('slots/3: the slots know which claims are urgent', key);
    }
  }
  if (input.type !== 'use') {
    return;
  }
  const was = treeGet(before.claims, input.claim);
  const is = treeGet(slots.claims, input.claim);
  if (was === undefined || was.grant === null || is === undefined || is.grant === null) {
    return;
  }
  const { turn, use } = was.grant;
  const inTurn = use === 'background' || use === 'shielded';
  const isOver = input.use === 'idle' || input.use === 'kept' || turn !== input.turn;
  const hadTurn = inTurn && isOver && input.use !== 'ending';
  const expected = hadTurn ? [0, false] : [was.passes, was.grant.protected];
  if (is.passes !== expected[0] || is.grant.protected !== expected[1]) {
    found('slots/6: the count and the protection end with a turn', `${is.session}`);
  }
}

/** A claim that was due when it was granted is protected; what gave way is counted. */
function counts(before: Slots, input: SlotsInput, after: Slots, found: Found): void {
  for (const claim of granted(after)) {
    const was = treeGet(before.claims, claim.id);
    if (was !== undefined && was.grant === null && isDue(before, was) && claim.grant?.protected !== true) {
      found('slots/6: a claim that was due is protected', `${claim.session}`);
    }
  }
  if (input.type === 'release') {
    const was = treeGet(before.claims, input.claim);
    const gaveWay = was?.grant?.asked === 'give-way';
    const passes = was === undefined ? 0 : Math.min(was.passes + 1, before.limits.maxPassedOver);
    if (was !== undefined && gaveWay && treeGet(after.gaveWay, was.session) !== passes) {
      found('slots/6: a session that gave way is counted', `${was.session}`);
    }
  }
}

/** The indexes of the slots. They are functions of the claims; `put` is the only place that changes them. */
import { invariant } from '../errors.ts';
import type { ClaimId } from '../model/ids.ts';
import type { Mutable } from '../queue.ts';
import { byText, treeFirst, treeGet, treeOf, treePut, treeRemove, type Tree } from '../tree.ts';
import type { Claim, Counts, Folder, LineKey, Slots, SlotLimits, SlotsEffect, VictimKey } from './model.ts';

/** The workbench of one step. */
export interface SlotsDraft {
  readonly s: Mutable<Slots>;
  readonly effects: SlotsEffect[];
  /** Folders whose line or holder has changed. */
  readonly folders: Set<string>;
}

const byNumber = (a: number, b: number): number => a - b;
export const compareLine = (a: LineKey, b: LineKey): number => a.rank - b.rank || a.id - b.id;
/** The one that was passed over least, then the youngest turn: it has done least. */
const compareVictims = (a: VictimKey, b: VictimKey): number => a.passes - b.passes || b.since - a.since;

export const newSlots = (limits: SlotLimits): Slots => ({
  limits,
  closed: false,
  claims: treeOf<ClaimId, Claim>(byNumber),
  folders: treeOf<string, Folder>(byText),
  ready: treeOf<LineKey, ClaimId>(compareLine),
  soon: treeOf<LineKey, ClaimId>(compareLine),
  wantUrgently: treeOf<ClaimId, true>(byNumber),
  wantDue: treeOf<ClaimId, true>(byNumber),
  urgent: treeOf<ClaimId, true>(byNumber),
  background: treeOf<ClaimId, true>(byNumber),
  granted: treeOf<number, ClaimId>(byNumber),
  idle: treeOf<number, ClaimId>(byNumber),
  victims: treeOf<VictimKey, ClaimId>(compareVictims),
  hosts: treeOf<number, ClaimId>(byNumber),
  counts: { starting: 0, leaving: 0, handing: 0 },
  gaveWay: treeOf<Claim['session'], number>(byText),
  waits: { urgent: null, background: null },
  numbers: 0,
});

export const isDue = (limits: SlotLimits, { passes }: Claim): boolean => passes >= limits.maxPassedOver;

export const lineKey = (limits: SlotLimits, claim: Claim): LineKey => ({
  rank: isDue(limits, claim) ? 0 : claim.urgent ? 1 : 2,
  id: claim.id,
});

/** Its slot is about to be free. */
export const isLeaving = ({ grant }: Claim): boolean =>
  grant !== null &&
  (grant.use === 'ending' ||
    grant.asked === 'make-room' ||
    grant.asked === 'give-way' ||
    (grant.asked === 'hand-over' && grant.use === 'idle'));

const isHanding = (claim: Claim): boolean => claim.grant?.asked === 'hand-over' && !isLeaving(claim);

export const isIdle = ({ grant }: Claim): boolean => grant?.use === 'idle' && grant.asked === null;

/** Its background turn may be interrupted. */
export const isVictim = (claim: Claim): boolean =>
  claim.grant?.use === 'background' && !claim.grant.protected && !isLeaving(claim);

/** Its session can hand over: at the end of its turn, or when its agent is not kept any more. */
export const canHandOver = ({ grant }: Claim): boolean =>
  (grant?.use === 'background' || grant?.use === 'shielded' || grant?.use === 'kept') && grant.asked === null;

/** Where a claim stands, by index. */
interface Places {
  readonly line: LineKey | null;
  readonly urgentInLine: ClaimId | null;
  readonly ready: LineKey | null;
  readonly soon: LineKey | null;
  readonly wantUrgently: ClaimId | null;
  readonly wantDue: ClaimId | null;
  readonly urgent: ClaimId | null;
  readonly background: ClaimId | null;
  readonly granted: number | null;
  readonly idle: number | null;
  readonly victims: VictimKey | null;
  readonly hosts: number | null;
}

const nowhere: Places = {
  line: null,
  urgentInLine: null,
  ready: null,
  soon: null,
  wantUrgently: null,
  wantDue: null,
  urgent: null,
  background: null,
  granted: null,
  idle: null,
  victims: null,
  hosts: null,
};

function placesOf(limits: SlotLimits, claim: Claim | null): Places {
  if (claim === null) {
    return nowhere;
  }
  const { grant, wants } = claim;
  if (grant === null) {
    const line = lineKey(limits, claim);
    return {
      ...nowhere,
      line,
      urgentInLine: claim.urgent ? claim.id : null,
      ready: wants === 'ready' ? line : null,
      soon: wants === 'soon' ? line : null,
      wantUrgently: wants !== null && claim.urgent ? claim.id : null,
      wantDue: wants !== null && line.rank === 0 ? claim.id : null,
      urgent: line.rank === 1 ? claim.id : null,
      background: line.rank === 2 ? claim.id : null,
    };
  }
  return {
    ...nowhere,
    granted: grant.at,
    idle: isIdle(claim) ? grant.since : null,
    victims: isVictim(claim) ? { passes: claim.passes, since: grant.since } : null,
    hosts: canHandOver(claim) ? grant.at : null,
  };
}

const countsOf = (claim: Claim | null): Counts => ({
  starting: claim?.grant?.starts === true ? 1 : 0,
  leaving: claim !== null && isLeaving(claim) ? 1 : 0,
  handing: claim !== null && isHanding(claim) ? 1 : 0,
});

function rekey<K, V>(tree: Tree<K, V>, was: K | null, is: K | null, value: V): Tree<K, V> {
  if (was === null && is === null) {
    return tree;
  }
  if (was !== null && is !== null && tree.compare(was, is) === 0) {
    return tree;
  }
  const without = was === null ? tree : treeRemove(tree, was);
  return is === null ? without : treePut(without, is, value);
}

/** Changes a claim, or removes it (`is` null), in all indexes. */
export function put(d: SlotsDraft, id: ClaimId, is: Claim | null): void {
  const { s } = d;
  const was = treeGet(s.claims, id) ?? null;
  s.claims = is === null ? treeRemove(s.claims, id) : treePut(s.claims, id, is);
  const [before, after] = [placesOf(s.limits, was), placesOf(s.limits, is)];
  s.ready = rekey(s.ready, before.ready, after.ready, id);
  s.soon = rekey(s.soon, before.soon, after.soon, id);
  s.wantUrgently = rekey<ClaimId, true>(s.wantUrgently, before.wantUrgently, after.wantUrgently, true);
  s.wantDue = rekey<ClaimId, true>(s.wantDue, before.wantDue, after.wantDue, true);
  s.urgent = rekey<ClaimId, true>(s.urgent, before.urgent, after.urgent, true);
  s.background = rekey<ClaimId, true>(s.background, before.background, after.background, true);
  s.granted = rekey(s.granted, before.granted, after.granted, id);
  s.idle = rekey(s.idle, before.idle, after.idle, id);
  s.victims = rekey(s.victims, before.victims, after.victims, id);
  s.hosts = rekey(s.hosts, before.hosts, after.hosts, id);
  const [less, more] = [countsOf(was), countsOf(is)];
  s.counts = {
    starting: s.counts.starting - less.starting + more.starting,
    leaving: s.counts.leaving - less.leaving + more.leaving,
    handing: s.counts.handing - less.handing + more.handing,
  };
  const folder = (is ?? was)?.folder ?? null;
  if (folder !== null) {
    putInFolder(d, folder, id, before, after);
  }
}

function putInFolder(d: SlotsDraft, name: string, id: ClaimId, was: Places, is: Places): void {
  const folder = folderOf(d, name);
  putFolder(d, name, {
    ...folder,
    line: rekey(folder.line, was.line, is.line, id),
    urgent: rekey<ClaimId, true>(folder.urgent, was.urgentInLine, is.urgentInLine, true),
  });
}

/** Also of a folder that no claim names yet. */
export const folderOf = (d: SlotsDraft, name: string): Folder =>
  treeGet(d.s.folders, name) ?? {
    holder: null,
    foreign: false,
    line: treeOf<LineKey, ClaimId>(compareLine),
    first: null,
    urgent: treeOf<ClaimId, true>(byNumber),
  };

export function putFolder(d: SlotsDraft, name: string, folder: Folder): void {
  d.s.folders = treePut(d.s.folders, name, folder);
  d.folders.add(name);
}

export function mustClaim(d: SlotsDraft, id: ClaimId): Claim {
  const claim = treeGet(d.s.claims, id);
  invariant(claim !== undefined, 'the claim is there');
  return claim;
}

/** After its line or holder has changed: which claim is first, and whether it can be granted. */
export function refresh(d: SlotsDraft, name: string): void {
  const folder = folderOf(d, name);
  const first = treeFirst(folder.line)?.value ?? null;
  if (first === null && folder.holder === null) {
    d.s.folders = treeRemove(d.s.folders, name);
    return;
  }
  if (folder.first !== first) {
    d.s.folders = treePut(d.s.folders, name, { ...folder, first });
    const former = folder.first === null ? undefined : treeGet(d.s.claims, folder.first);
    if (former !== undefined && former.wants !== null) {
      put(d, former.id, { ...former, wants: null });
    }
  }
  if (first !== null) {
    const claim = mustClaim(d, first);
    const wants = wantsOf(d, folder);
    if (claim.wants !== wants) {
      put(d, first, { ...claim, wants });
    }
  }
}

function wantsOf(d: SlotsDraft, { holder, foreign }: Folder): Claim['wants'] {
  if (foreign) {
    return null;
  }
  if (holder === null) {
    return 'ready';
  }
  return isLeaving(mustClaim(d, holder)) ? 'soon' : null;
}

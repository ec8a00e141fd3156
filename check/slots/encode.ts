/** When two states are one: claims are named by their age, and what only counts up by its order. */
import type { Claim } from '../../src/core/slots/model.ts';
import { treeGet, treeValues } from '../../src/core/tree.ts';
import type { Writer } from '../engine/index.ts';
import { claimOf, folder, type Party, type World } from './world.ts';

const uses = ['starting', 'idle', 'kept', 'background', 'shielded', 'ending'] as const;
const asks = ['make-room', 'give-way', 'hand-over'] as const;

const rankIn = <T>(list: readonly T[], value: T): number => list.indexOf(value) + 1;

export function encodeWorld(world: World, out: Writer): void {
  const { slots } = world;
  const claims = treeValues(slots.claims);
  const order = claims
    .flatMap(({ grant }) => (grant === null ? [] : [grant.at, grant.since]))
    .toSorted((a, b) => a - b);
  out.flag(slots.closed);
  out.flag(world.other);
  const known = treeGet(slots.folders, folder);
  out.byte(known === undefined ? 0 : known.foreign ? 1 : 2);
  for (const party of world.parties) {
    encodeParty(world, party, out);
    encodeClaim(claimOf(world, party), claims, order, out);
    out.byte(treeGet(slots.gaveWay, party.key) ?? 0);
    out.flag(party.claim !== null && world.waits.has(party.claim));
    out.flag(party.claim !== null && world.windows.has(party.claim));
  }
}

/** Turns matter by what they are equal to: the one that the session has, the one that the slots know, and the one that an ask names. */
function encodeParty(world: World, party: Party, out: Writer): void {
  const { use, turn, leaves, inbox, urgent } = party;
  out.byte(use === null ? 0 : rankIn(uses, use));
  out.flag(leaves);
  out.flag(urgent);
  out.byte(inbox === null ? 0 : rankIn(asks, inbox.what));
  const told = claimOf(world, party)?.grant?.turn ?? 0;
  const names = [0, turn, told, inbox?.turn ?? 0];
  for (const name of names) {
    out.byte(names.indexOf(name));
  }
}

function encodeClaim(claim: Claim | null, claims: readonly Claim[], order: readonly number[], out: Writer): void {
  if (claim === null) {
    out.byte(0);
    return;
  }
  const { grant } = claim;
  out.byte(rankIn(claims, claim));
  out.flag(claim.urgent);
  out.byte(claim.passes);
  if (grant === null) {
    out.byte(0);
    return;
  }
  out.byte(rankIn(uses, grant.use));
  out.byte(rankIn(order, grant.at));
  out.byte(rankIn(order, grant.since));
  out.flag(grant.starts);
  out.flag(grant.protected);
  out.byte(grant.asked === null ? 0 : rankIn(asks, grant.asked));
}

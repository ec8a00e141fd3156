/** Everything that can happen in a state. Reports and asks are under way for any time; each session may go on with turns for ever. */
import type { Use } from '../../src/core/slots/model.ts';
import { treeGet } from '../../src/core/tree.ts';
import type { Taking } from './take.ts';
import { type Asked, claimOf, folder, isWaiting, type Party, type SlotsConfig, type World } from './world.ts';

/** Classes of moves for fairness; the first six are one for each session. */
export const kinds = {
  ready: 0,
  ends: 3,
  exit: 6,
  told: 9,
  asked: 12,
  rests: 15,
  waits: 18,
  windows: 21,
  lock: 24,
  other: 25,
  free: 26,
} as const;

export type Offer = (who: string, does: string, kind: number, run: (taking: Taking) => void) => void;

const granted = (use: Use | null): use is Use => use !== null;

export function moves(config: SlotsConfig, world: World, offer: Offer): void {
  for (const [at, party] of world.parties.entries()) {
    if (!world.slots.closed) {
      claims(config, world, party, at, offer);
    }
    agentGoesOn(config, party, at, offer);
    isTold(world, party, at, offer);
    isAsked(party, at, offer);
    deadlines(world, party, at, offer);
  }
  folderMoves(config, world, offer);
  if (config.closes && !world.slots.closed) {
    offer('the daemon', 'closes', kinds.free, (taking) => taking.input({ type: 'close' }));
  }
}

function claims(config: SlotsConfig, world: World, party: Party, at: number, offer: Offer): void {
  const { key, claim } = party;
  if (claim === null) {
    for (const urgent of [false, true]) {
      offer(key, `needs an agent, ${urgent ? 'urgently' : 'for background work'}`, kinds.free, (taking) => {
        const next = taking.nextClaim();
        taking.change(at, { claim: next, urgent });
        const foreign = party.folder !== null && world.other;
        taking.input({ type: 'claim', claim: next, session: key, folder: party.folder, foreign, urgent });
      });
    }
    return;
  }
  if (!isWaiting(party) || !config.restless) {
    return;
  }
  offer(key, 'withdraws its claim', kinds.free, (taking) => {
    taking.change(at, { claim: null });
    taking.input({ type: 'release', claim });
  });
  offer(key, `is ${party.urgent ? 'no longer urgent' : 'urgent now'}`, kinds.free, (taking) => {
    taking.change(at, { urgent: !party.urgent });
    taking.input({ type: 'urgency', claim, urgent: !party.urgent });
  });
}

function turnOf(party: Party, at: number, urgent: boolean, use: Use): (taking: Taking) => void {
  return (taking) => {
    taking.change(at, { use, turn: party.turn + 1, urgent });
    if (party.claim !== null && urgent !== party.urgent) {
      taking.input({ type: 'urgency', claim: party.claim, urgent });
    }
  };
}

function begins(config: SlotsConfig, party: Party, at: number, kind: number, offer: Offer): void {
  const { key } = party;
  offer(key, 'begins a background turn', kind, turnOf(party, at, false, 'background'));
  offer(key, 'begins an interactive turn', kind, turnOf(party, at, true, 'shielded'));
  if (config.keeping) {
    offer(key, 'begins a turn that it protects itself', kind, turnOf(party, at, false, 'shielded'));
  }
}

function agentGoesOn(config: SlotsConfig, party: Party, at: number, offer: Offer): void {
  const { key, use, claim } = party;
  if (!granted(use) || claim === null) {
    return;
  }
  const becomes =
    (next: Use): ((taking: Taking) => void) =>
    (taking) =>
      taking.change(at, { use: next });
  const exits = (taking: Taking): void => {
    taking.change(at, { claim: null, use: null, turn: 0, leaves: false, inbox: null, urgent: false });
    taking.input({ type: 'release', claim });
  };
  switch (use) {
    case 'starting':
      begins(config, party, at, kinds.ready + at, offer);
      if (config.waitsReady) {
        offer(key, 'is ready and held back', kinds.ready + at, becomes('idle'));
      }
      if (config.waitsReady && config.keeping) {
        offer(key, 'is ready and takes a turn of its own', kinds.ready + at, becomes('kept'));
      }
      break;
    case 'idle':
      begins(config, party, at, kinds.free, offer);
      offer(key, 'closes its idle agent', kinds.free, becomes('ending'));
      break;
    case 'kept':
      // What was kept back until then is asked at once.
      offer(key, 'works in the background no longer', kinds.rests + at, (taking) =>
        taking.change(at, party.inbox?.what === 'hand-over' ? { use: 'ending', inbox: null } : { use: 'idle' }),
      );
      break;
    case 'background':
      offer(key, 'interrupts its own turn', kinds.free, becomes('shielded'));
      turnEnds(config, party, at, offer);
      break;
    case 'shielded':
      turnEnds(config, party, at, offer);
      break;
    case 'ending':
      offer(key, 'has its agent gone', kinds.exit + at, exits);
      break;
  }
  if (config.restless && use !== 'ending') {
    offer(key, 'loses its agent', kinds.free, exits);
  }
}

function turnEnds(config: SlotsConfig, party: Party, at: number, offer: Offer): void {
  const kind = kinds.ends + at;
  if (party.leaves) {
    offer(party.key, 'ends its turn and closes its agent', kind, (taking) =>
      taking.change(at, { use: 'ending', leaves: false }),
    );
    return;
  }
  begins(config, party, at, kind, offer);
  offer(party.key, 'ends its turn and is idle', kind, (taking) => taking.change(at, { use: 'idle' }));
  if (config.keeping) {
    offer(party.key, 'ends its turn and works in the background', kind, (taking) => taking.change(at, { use: 'kept' }));
  }
}

/** Whether the slots know what the agent does. */
const isKnown = (world: World, party: Party): boolean => {
  const grant = claimOf(world, party)?.grant ?? null;
  return grant === null || party.use === null || (grant.use === party.use && grant.turn === party.turn);
};

function tell(taking: Taking, at: number): void {
  const party = taking.world.parties[at];
  const grant = party === undefined ? null : (claimOf(taking.world, party)?.grant ?? null);
  if (party === undefined || party.claim === null || grant === null || party.use === null) {
    return;
  }
  if (grant.starts && party.use !== 'starting') {
    taking.input({ type: 'started', claim: party.claim });
  }
  if (party.use !== 'starting' && !isKnown(taking.world, party)) {
    taking.input({ type: 'use', claim: party.claim, use: party.use, turn: party.turn });
  }
}

export function tellAll(taking: Taking): void {
  for (const at of taking.world.parties.keys()) {
    tell(taking, at);
  }
}

function isTold(world: World, party: Party, at: number, offer: Offer): void {
  if (!isKnown(world, party)) {
    offer(party.key, 'tells what its agent does', kinds.told + at, (taking) => tell(taking, at));
  }
}

function isAsked(party: Party, at: number, offer: Offer): void {
  const { inbox, key, claim, use } = party;
  // The daemon keeps it back while the agent works in the background.
  if (inbox !== null && claim !== null && !(inbox.what === 'hand-over' && use === 'kept')) {
    offer(key, `is asked to ${inbox.what}`, kinds.asked + at, (taking) => {
      taking.change(at, { inbox: null });
      answer(taking, party, at, inbox);
    });
  }
}

function answer(taking: Taking, party: Party, at: number, inbox: Asked): void {
  const { claim, use, turn } = party;
  const isTurn = use === 'background' || use === 'shielded';
  if (claim === null || use === 'ending') {
    return;
  }
  if (use === 'idle') {
    taking.change(at, { use: 'ending' });
  } else if (inbox.what === 'give-way' && use === 'background' && turn === inbox.turn) {
    taking.change(at, { use: 'shielded', leaves: true });
  } else if (inbox.what === 'hand-over' && isTurn) {
    taking.change(at, { leaves: true });
  } else {
    if (inbox.what === 'give-way') {
      taking.change(at, isTurn ? { leaves: true } : { inbox: { what: 'hand-over', turn: 0 } });
    }
    tell(taking, at);
    taking.input({ type: 'declined', claim });
  }
}

function deadlines(world: World, { claim, key }: Party, at: number, offer: Offer): void {
  if (claim === null) {
    return;
  }
  if (world.waits.has(claim)) {
    offer(key, 'has waited for maxWaitMs', kinds.waits + at, (taking) => taking.fire('wait', claim));
  }
  if (world.windows.has(claim)) {
    offer(key, 'is protected no longer', kinds.windows + at, (taking) => taking.fire('protected', claim));
  }
}

function folderMoves(config: SlotsConfig, world: World, offer: Offer): void {
  const known = treeGet(world.slots.folders, folder);
  if (known?.foreign === true && !world.other) {
    offer('the daemon', 'finds the folder free', kinds.lock, (taking) => taking.input({ type: 'folder-free', folder }));
  }
  if (world.other) {
    offer('the other process', 'leaves the folder', kinds.other, (taking) => {
      taking.world = { ...taking.world, other: false };
    });
  }
  // Once the daemon has found it free it keeps it for its claims.
  if (config.foreign && !world.other && known === undefined) {
    offer('the other process', 'takes the folder', kinds.free, (taking) => {
      taking.world = { ...taking.world, other: true };
    });
  }
}

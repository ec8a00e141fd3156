/** Everything that can happen next: to the nodes, to what they have written to the store, and to the letters. */
import type { Effect } from '../../../src/core/model/effects.ts';
import type { Input } from '../../../src/core/model/inputs.ts';
import type { Core } from '../../model/core.ts';
import { commandOf, indexOf, limits, nodeNames } from './world.ts';
import type { Agent, Holding, LettersConfig, NodeName, Ticket, World, Write } from './world.ts';

export type Offer = (who: string, does: string, make: () => World) => void;
export type Found = (property: string, detail: string) => void;

export interface Setting {
  readonly config: LettersConfig;
  readonly core: Core;
  readonly found: Found;
}

const caps = { acks: true, steer: false, rewind: false, models: false, keepsPrompts: false } as const;
const completed = { outcome: 'completed', empty: false, report: null } as const;
const interrupted = { outcome: 'interrupted', empty: true, report: null } as const;
/** Writes that nobody waits for, at a time. */
const maxLate = 1;

export function moves(setting: Setting, world: World, offer: Offer): void {
  for (const name of nodeNames) {
    const held = world.holds[name];
    if (held === null) {
      claims(setting, world, name, offer);
      continue;
    }
    if (held.pending === null) {
      works(setting, world, name, held, offer);
    } else {
      commits(setting, world, name, held, held.pending, offer);
    }
    stops(world, name, held, offer);
  }
  for (const [index, write] of world.late.entries()) {
    offer('the store', `carries out a write of ${write.ticket.owner} that nobody waits for`, () => {
      const rest = { ...world, late: world.late.filter((_, at) => at !== index) };
      return carriedOut(setting, rest, write).world;
    });
  }
  senders(setting, world, offer);
}

const hold = (world: World, name: NodeName, held: Holding | null): World => ({
  ...world,
  holds: { ...world.holds, [name]: held },
});

function claims({ config, core }: Setting, world: World, name: NodeName, offer: Offer): void {
  const { owner } = world;
  const isFree = owner === null || owner === name || world.isDead[owner];
  if (world.isDead[name] || !isFree || world.claims >= config.maxClaims) {
    return;
  }
  offer(name, 'claims the session and takes it up', () => {
    const lease = core.nodeRules.leaseAfter(world.lease);
    const claim = world.claims + 1;
    const ticket: Ticket = { owner: name, lease, claim };
    // Hints that the owner before it has not heeded are gone with it.
    const isKept = core.nodeRules.accepted === 'row' || owner === null;
    const letters = world.letters.map((letter) =>
      !isKept && letter.stage === 'there' ? ({ ...letter, stage: 'gone' } as const) : letter,
    );
    const { session, records, effects } = core.step(core.rebuild(world.durable, limits), { at: 1, type: 'recovered' });
    const pending = { ticket, version: world.version, step: { records, effects, session, letter: null } };
    const held = { ticket, version: world.version, session, agent: null, pending, outcome: null };
    return hold({ ...world, owner: name, lease, claims: claim, letters }, name, held);
  });
}

/** Takes an input through the core; what it records is under way from now on. */
function take(
  setting: Setting,
  world: World,
  name: NodeName,
  held: Holding,
  input: Input,
  letter: number | null,
): World {
  const { records, effects, session } = setting.core.step(held.session, input);
  if (records.length > 0) {
    const step = { records, effects, session, letter };
    const pending: Write = { ticket: held.ticket, version: held.version, step };
    return hold(world, name, { ...held, pending, outcome: null });
  }
  const { agent, interrupts } = carry(held.agent, effects);
  const done = hold(world, name, { ...held, session, agent });
  const answered = letter === null ? done : withLetter(done, letter, { stage: 'gone', applied: 1 });
  return { ...answered, lateInterrupts: [...answered.lateInterrupts, ...interrupts] };
}

const withLetter = (world: World, index: number, change: Partial<World['letters'][number]>): World => ({
  ...world,
  letters: world.letters.map((letter, at) =>
    at === index ? { ...letter, ...change, applied: letter.applied + (change.applied ?? 0) } : letter,
  ),
});

function works(setting: Setting, world: World, name: NodeName, held: Holding, offer: Offer): void {
  const { core, config } = setting;
  const isOwner = world.owner === name;
  const letter = isOwner ? world.letters.findIndex(({ stage }) => stage === 'there') : -1;
  if (letter >= 0) {
    offer(name, `reads letter ${letter}`, () => {
      const isEarly = core.nodeRules.takesOut === 'before';
      const read = isEarly ? withLetter(world, letter, { stage: 'gone' }) : world;
      return take(setting, read, name, held, commandOf(config, letter), letter);
    });
  }
  if (held.session.hold === null && held.agent === null) {
    offer(name, 'gives the session back', () => {
      const write: Write = { ticket: held.ticket, version: held.version, step: null };
      return { ...hold(world, name, null), late: [...world.late, write] };
    });
  }
  if (held.agent !== null) {
    agentMoves(setting, world, name, held, held.agent, offer);
  }
}

function agentMoves(setting: Setting, world: World, name: NodeName, held: Holding, agent: Agent, offer: Offer): void {
  const { incarnation, turn } = agent;
  const who = `the agent of ${name}`;
  const hear = (does: string, next: Agent | null, input: Input): void =>
    offer(who, does, () => take(setting, world, name, { ...held, agent: next }, input, null));
  if (agent.isLeaving) {
    hear('is gone', null, { at: 1, type: 'agent-exited', incarnation, reason: 'exited', data: null });
    return;
  }
  if (!agent.isReady) {
    const ready = {
      at: 1,
      type: 'agent-ready',
      incarnation,
      caps,
      conversation: 'c',
      conversationReset: false,
    } as const;
    hear('is ready', { ...agent, isReady: true }, ready);
    return;
  }
  const [message, ...inbox] = agent.inbox;
  const read = { ...agent, inbox };
  if (message?.type === 'prompt') {
    const input = { at: 1, type: 'turn-started', incarnation, turn: message.turn } as const;
    hear('reads a prompt', { ...read, turn: message.turn, isInterrupted: false }, input);
  } else if (message !== undefined) {
    const input = { at: 1, type: 'ack', incarnation, turn: message.turn, noResult: turn !== message.turn } as const;
    hear('reads an interrupt', { ...read, isInterrupted: turn === message.turn }, input);
  }
  if (turn !== null) {
    const result = agent.isInterrupted ? interrupted : completed;
    hear(
      `ends its turn: ${result.outcome}`,
      { ...agent, turn: null, isInterrupted: false },
      {
        at: 1,
        type: 'result',
        incarnation,
        turn,
        result,
      },
    );
  }
}

/** What reaches the agent. `interrupts`: those without an agent that they could be written to. */
function carry(
  agent: Agent | null,
  effects: readonly Effect[],
): { agent: Agent | null; interrupts: World['lateInterrupts'] } {
  let next = agent;
  const interrupts: World['lateInterrupts'][number][] = [];
  for (const effect of effects) {
    if (effect.type === 'start') {
      const { incarnation } = effect;
      next = { incarnation, isReady: false, isLeaving: false, turn: null, isInterrupted: false, inbox: [] };
    } else if (effect.type === 'interrupt' && next?.incarnation !== effect.incarnation) {
      interrupts.push({ incarnation: effect.incarnation, turn: effect.turn });
    } else if (next !== null && (effect.type === 'prompt' || effect.type === 'interrupt')) {
      next = { ...next, inbox: [...next.inbox, { type: effect.type, turn: effect.turn }] };
    } else if (next !== null && (effect.type === 'kill' || effect.type === 'close')) {
      next = { ...next, isLeaving: true };
    }
  }
  return { agent: next, interrupts };
}

function commits(setting: Setting, world: World, name: NodeName, held: Holding, write: Write, offer: Offer): void {
  const { core } = setting;
  const { step } = write;
  if (held.outcome === null) {
    offer('the store', `carries out what ${name} has written`, () => {
      const carried = carriedOut(setting, world, write);
      const outcome = isDone(world, write) ? 'committed' : carried.outcome;
      return hold(carried.world, name, { ...held, outcome });
    });
    if (world.late.length < maxLate) {
      offer(name, 'loses its connection, and writes the same again', () => ({
        ...world,
        late: [...world.late, write],
      }));
    }
    return;
  }
  const { outcome } = held;
  offer(name, `learns that its write is ${outcome}`, () => {
    if (outcome === 'fenced' || step === null) {
      return letGo(world, name, held);
    }
    const letter = step.letter;
    if (outcome === 'withdrawn') {
      return hold(world, name, { ...held, pending: null, outcome: null });
    }
    const { agent, interrupts } = carry(held.agent, step.effects);
    const next = { ...held, agent, session: step.session, version: held.version + 1, pending: null, outcome: null };
    const done = { ...hold(world, name, next), lateInterrupts: [...world.lateInterrupts, ...interrupts] };
    return letter !== null && core.nodeRules.takesOut === 'after' ? withLetter(done, letter, { stage: 'gone' }) : done;
  });
}

/** A copy of it was carried out: nobody else writes under this lease. */
const isDone = ({ owner, lease, version }: World, { ticket, version: before }: Write): boolean =>
  owner === ticket.owner && lease === ticket.lease && version === before + 1;

interface CarriedOut {
  readonly world: World;
  readonly outcome: 'committed' | 'fenced' | 'withdrawn';
}

/** The statement, where it is carried out: as one, in a moment that nobody chooses. */
function carriedOut({ core, found }: Setting, world: World, { ticket, version, step }: Write): CarriedOut {
  const { nodeRules: rules } = core;
  const sameOwner = world.owner === ticket.owner;
  const sameLease = world.lease === ticket.lease;
  const isLast = world.claims === ticket.claim;
  if (step === null) {
    if (!rules.frees(sameOwner, sameLease)) {
      return { world, outcome: 'fenced' };
    }
    if (!isLast) {
      found('letters-model/2: nothing is written by a node after the claim of another', 'the session is given back');
    }
    return { world: { ...world, owner: null }, outcome: 'committed' };
  }
  if (!rules.writes(sameOwner, sameLease, world.version === version)) {
    return { world, outcome: 'fenced' };
  }
  const { letter } = step;
  const isThere = letter === null || rules.takesOut !== 'in' || world.letters[letter]?.stage === 'there';
  if (!rules.applies(isThere)) {
    return { world, outcome: 'withdrawn' };
  }
  if (!isLast) {
    found(
      'letters-model/2: nothing is written by a node after the claim of another',
      `claim ${ticket.claim} of ${world.claims}`,
    );
  }
  const durable = core.foldRecords(world.durable, step.records);
  if (durable.row.epoch < world.durable.row.epoch) {
    found('letters-model/4: epochs only grow', `${world.durable.row.epoch}, then ${durable.row.epoch}`);
  }
  const ended = step.records.flatMap((record) => (record.type === 'end' ? [indexOf(record.task)] : []));
  const finals = world.finals.map((count, task) => count + ended.filter((one) => one === task).length);
  const written = { ...world, durable, finals, version: world.version + 1 };
  const change = rules.takesOut === 'in' ? ({ stage: 'gone', applied: 1 } as const) : { applied: 1 };
  return { world: letter === null ? written : withLetter(written, letter, change), outcome: 'committed' };
}

/** The agent is ended, what was written to it stays on its way, and nobody waits for the write. */
function letGo(world: World, name: NodeName, held: Holding): World {
  const { agent, pending, outcome } = held;
  const onWay = (agent?.inbox ?? []).flatMap(({ type, turn }) =>
    type === 'interrupt' && agent !== null ? [{ incarnation: agent.incarnation, turn }] : [],
  );
  const late = pending !== null && outcome === null ? [...world.late, pending] : world.late;
  return { ...hold(world, name, null), late, lateInterrupts: [...world.lateInterrupts, ...onWay] };
}

function stops(world: World, name: NodeName, held: Holding, offer: Offer): void {
  const isLate = held.pending !== null && held.outcome === null;
  if (isLate && world.late.length >= maxLate) {
    return;
  }
  // One of them has to be left.
  if (name === 'A' && !world.isDead.A) {
    offer(name, 'stands still and is declared dead', () => ({
      ...letGo(world, name, held),
      isDead: { ...world.isDead, A: true },
    }));
  }
  offer(name, 'has let its lease lapse, and lets the session go', () => letGo(world, name, held));
}

function senders({ config }: Setting, world: World, offer: Offer): void {
  for (const [index, { stage }] of world.letters.entries()) {
    if (stage === 'unsent') {
      offer('a sender', `sends letter ${index}: ${config.letters[index]}`, () =>
        withLetter(world, index, { stage: 'there' }),
      );
    } else if (stage === 'there') {
      offer('a sender', `withdraws letter ${index}`, () =>
        withLetter(world, index, { stage: 'gone', isWithdrawn: true }),
      );
    }
  }
}

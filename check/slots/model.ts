/** Puts the slots of the core, their environment and the oracles together into one system that the engine can explore. */
import type { Goal, Invariant, Model, Teller } from '../engine/index.ts';
import { Report } from '../model/report.ts';
import { encodeWorld } from './encode.ts';
import { kinds, moves, tellAll } from './moves.ts';
import { Taking } from './take.ts';
import {
  claimOf,
  initialWorld,
  isWaiting,
  type Action,
  type SlotsConfig,
  type SlotsCore,
  type World,
} from './world.ts';

export function slotsModelOf(config: SlotsConfig, core: SlotsCore): Model<World, Action> {
  const report = new Report();
  return {
    initial: initialWorld(config, core),
    expand: (world, emit) => {
      moves(config, world, (who, does, kind, run) => {
        report.clear();
        const taking = new Taking(core, world, (property, detail) => report.fail(property, detail));
        run(taking);
        if (!config.lags) {
          tellAll(taking);
        }
        emit(taking.action(who, does), kind, taking.world, report.broken);
      });
    },
    encode: encodeWorld,
    invariants: [probes(core)],
    goals: goals(config),
    fair: fair(config),
  };
}

/** Whatever names a claim that is gone changes nothing. */
const probes = (core: SlotsCore): Invariant<World> => ({
  name: 'slots/10: stale input changes nothing',
  check: ({ slots, claims }) => {
    const claim = (claims + 7) as never;
    for (const input of [
      { type: 'release', claim },
      { type: 'declined', claim },
      { type: 'use', claim, use: 'idle', turn: 1 },
      { type: 'timer', name: 'wait', claim },
    ] as const) {
      const result = core.stepSlots(slots, input);
      if (result.slots !== slots || result.effects.length > 0) {
        return input.type;
      }
    }
    return null;
  },
});

function goals(config: SlotsConfig): Goal<World>[] {
  return config.inFolder.flatMap((_, at): Goal<World>[] => [
    {
      name: `slots/7: session ${'ABC'[at] ?? ''} gets its slot`,
      pending: ({ slots, parties }) => {
        const party = parties[at];
        return !slots.closed && party !== undefined && isWaiting(party);
      },
    },
    {
      name: `slots/4: what session ${'ABC'[at] ?? ''} is asked for ends`,
      pending: (world) => {
        const party = world.parties[at];
        return party !== undefined && (claimOf(world, party)?.grant?.asked ?? null) !== null;
      },
    },
  ]);
}

function fair(config: SlotsConfig): ReadonlyMap<number, string> {
  const classes = new Map<number, string>([
    [kinds.lock, 'the daemon looks for the folder again'],
    [kinds.other, 'the other process leaves the folder'],
  ]);
  for (const at of config.inFolder.keys()) {
    classes.set(kinds.ready + at, 'an agent becomes ready');
    classes.set(kinds.ends + at, 'a turn ends');
    classes.set(kinds.exit + at, 'an agent that ends is gone at last');
    classes.set(kinds.told + at, 'the slots learn what an agent does');
    classes.set(kinds.asked + at, 'a session gets what it is asked');
    classes.set(kinds.rests + at, 'work in the background ends');
    classes.set(kinds.waits + at, 'maxWaitMs passes');
    classes.set(kinds.windows + at, 'protectedTurnMs passes');
  }
  return classes;
}

export const slotsTeller: Teller<World, Action> = {
  sentence: ({ who, does }) => `${who} ${does}`,
  changes: (_before, after) =>
    after.parties.map((party) => {
      const claim = claimOf(after, party);
      const known = claim === null ? 'no claim' : claim.grant === null ? 'waits' : claim.grant.use;
      const more = claim === null ? '' : ` passes ${claim.passes}${claim.urgent ? ' urgent' : ''}`;
      const asked = claim?.grant?.asked ?? null;
      return `${party.key}: ${known}${more}${asked === null ? '' : ` asked to ${asked}`}; really ${party.use ?? '-'}`;
    }),
};

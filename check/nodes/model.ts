/**
 * Puts the nodes, the store between them and what must hold together into one system that the engine can explore.
 *
 *  lease-model/1 At most one agent of a session runs. One that is frozen does not run.
 *  lease-model/2 The agent of a daemon that gives no sign is gone before another begins.
 *  lease-model/3 An agent begins when the one before it on the same node is gone.
 *  lease-model/4 An agent runs on when one renewal in a row is lost.
 */
import type { LeaseTimes } from '../../src/protocol/lease-times.ts';
import type { Invariant, Model, Teller } from '../engine/index.ts';
import { encodeWorld } from './encode.ts';
import { moves, type Setting } from './moves.ts';
import { initialWorld, type Action, type LeaseConfig, type NodesCore, type World } from './world.ts';

/** Rounded up, but for what a fraction in binary adds. */
const whole = (ticks: number): number => Math.ceil(ticks - 1e-9);

const inTicks = (times: LeaseTimes): LeaseTimes => ({
  ttlMs: whole(times.ttlMs),
  renewMs: whole(times.renewMs),
  lookMs: whole(times.lookMs),
  statementMs: whole(times.statementMs),
  freezeMs: whole(times.freezeMs),
  killMs: whole(times.killMs),
  stopMs: whole(times.stopMs),
});

export function leaseModelOf(config: LeaseConfig, { leaseTimes, nodeRules: rules }: NodesCore): Model<World, Action> {
  const setting: Setting = { config, rules, times: inTicks(leaseTimes(config.ttlTicks)) };
  return {
    initial: initialWorld,
    expand: (world, emit) => {
      moves(setting, world, (who, does, next, wrong = null) => {
        const broken =
          wrong === null
            ? null
            : { property: 'lease-model/3: an agent begins when the one before it is gone', detail: wrong };
        emit({ who, does }, 0, next, broken);
      });
    },
    encode: encodeWorld(setting),
    invariants: config.steady ? [runsOn] : [oneAgent, noneLeft],
  };
}

const oneAgent: Invariant<World> = {
  name: 'lease-model/1: at most one agent of a session runs',
  check: ({ agent, other }) => (agent === 'runs' && other === 'runs' ? 'one on A and one on B' : null),
};

const noneLeft: Invariant<World> = {
  name: 'lease-model/2: the agent of a daemon that gives no sign is gone before another begins',
  check: ({ agent, other, wasSilent }) =>
    agent !== 'none' && wasSilent && other === 'runs' ? 'an agent of A is still there' : null,
};

const runsOn: Invariant<World> = {
  name: 'lease-model/4: an agent runs on when one renewal in a row is lost',
  check: ({ agent }) => (agent === 'runs' ? null : 'it stands still'),
};

const ageOf = (age: number | null): string => (age === null ? '-' : String(age));

export const leaseTeller: Teller<World, Action> = {
  sentence: ({ who, does }) => `${who} ${does}`,
  changes: (before, after) => {
    const tell = (world: World): string =>
      [
        `A: daemon ${world.daemon}, agent ${world.agent}${world.ending === null ? '' : ', being ended'}, lease ${ageOf(world.leaseAge)}`,
        `renewal ${ageOf(world.renewal?.age ?? null)}`,
        `store: A ${world.row.state}, beat ${world.row.beat}, owner ${world.row.owner ?? '-'}`,
        `B: ${world.other}, saw beat ${world.watch.beat}, silence ${world.watch.silence}`,
      ].join('; ');
    return tell(before) === tell(after) ? [] : [tell(after)];
  },
};

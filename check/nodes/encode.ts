/** When two states are one: beats are names, and a clock counts only as far as something waits for it. */
import type { Writer } from '../engine/index.ts';
import type { Setting } from './moves.ts';
import type { Row, World } from './world.ts';

const daemons = ['up', 'stopped', 'ended'] as const;
const agents = ['none', 'runs', 'frozen'] as const;
const owners = [null, 'A', 'B'] as const;
const others = ['none', 'owns', 'runs', 'frozen'] as const;
const results = [null, 'up', 'dead'] as const;

const optional = (value: number | null): number => (value === null ? 0 : value + 1);

export const encodeWorld =
  (setting: Setting) =>
  (world: World, out: Writer): void => {
    const { rules, times, config } = setting;
    const { agent, renewal } = world;
    out.byte(daemons.indexOf(world.daemon) * 64 + agents.indexOf(agent) * 16 + others.indexOf(world.other));
    out.flag(world.isDead);
    out.flag(world.has);
    out.flag(world.wasSilent);
    out.byte(optional(world.ending));
    // Without an agent nothing is stopped; with one nothing happens after the end of the longest ladder.
    const freeze = times.freezeMs;
    const last = agent === 'none' ? freeze : times.killMs + rules.stopTakes(times);
    out.byte(Math.min(world.leaseAge, last));
    if (renewal === null) {
      out.byte(0);
    } else {
      out.byte(1 + Math.min(renewal.age, freeze));
      out.byte(results.indexOf(renewal.result?.state ?? null));
      out.byte(optional(renewal.result?.era ?? null));
      out.flag(renewal.result?.owns ?? false);
      out.flag(renewal.result?.settled ?? false);
    }
    if (config.steady) {
      out.byte(world.pace.sent);
      out.byte(world.pace.answered);
      out.flag(world.pace.isLost);
    }
    encodeStore(setting, world, out);
    encodeOther(setting, world, out);
  };

function encodeStore({ rules, times, config }: Setting, world: World, out: Writer): void {
  const row = ({ state, owner, age, shown }: Row): void => {
    out.byte(owners.indexOf(owner) * 2 + (state === 'up' ? 1 : 0));
    out.byte(Math.min(rules.silence(0, shown, age), times.ttlMs));
  };
  row(world.row);
  if (!config.failover) {
    return;
  }
  out.byte(world.rowEra * 2 + world.leaseEra);
  if (world.rowEra === 0) {
    row(world.standby);
  } else {
    out.byte(Math.min(world.eraAge, times.ttlMs));
    out.byte(optional(world.unverified));
  }
}

function encodeOther({ rules, times, config }: Setting, world: World, out: Writer): void {
  const { watch, look, row, standby } = world;
  const hasStandby = config.failover && world.rowEra === 0;
  const names = [row.beat, hasStandby ? standby.beat : row.beat, watch.beat, look.result?.beat ?? row.beat];
  let pattern = 0;
  for (const name of names) {
    pattern = pattern * 4 + names.indexOf(name);
  }
  out.byte(pattern);
  out.byte(watch.era + 1);
  out.byte(watch.era < 0 ? 0 : Math.min(watch.silence, times.ttlMs));
  out.byte((world.declares ? 8 : 0) + optional(look.result?.era ?? null));
  out.byte(rules.watchFrom(look.age, 0));
}

/** Puts the real session, its environment and the oracles together into one system that the engine can explore. */
import { timerNames } from '../../src/core/model/timers.ts';
import { treeGet } from '../../src/core/tree.ts';
import type { Broken, Emit, Goal, Invariant, Model } from '../engine/index.ts';
import type { Config } from './config.ts';
import type { Core } from './core.ts';
import { encodeWorld } from './encode.ts';
import { Judged } from './judged.ts';
import { moves } from './moves.ts';
import { probe } from './oracles/probes.ts';
import { rebuilt } from './oracles/rebuilt.ts';
import { judgeRenamed } from './oracles/rename.ts';
import { stateInvariants } from './oracles/state.ts';
import { Report } from './report.ts';
import type { Run } from './take.ts';
import { recover, take } from './take.ts';
import type { Action, StateView, World } from './world.ts';
import { has, initialWorld, kinds, spend } from './world.ts';

export function modelOf(config: Config, core: Core): Model<World, Action> {
  const report = new Report();
  const run: Run = { config, core, judged: new Judged(config), report };
  const { budgets, slots, caps, fleet } = config;
  const ends = fleet || (budgets.fresh ?? 0) + (budgets.full ?? 0) > 0 || slots.some(({ fresh }) => fresh);
  const varies = { moves: (budgets.move ?? 0) > 0, keeps: caps.keepsPrompts, ends };
  const expand = (world: World, emit: Emit<World, Action>): void => {
    run.judged.enter(world);
    moves(config, world, (who, kind, offered, input) => {
      report.clear();
      const taken = take(run, offered, input);
      emit(
        { who, input, result: taken.result },
        kind,
        taken.world,
        report.broken ?? renaming(config, core, offered, input, taken.result),
      );
    });
    restarts(run, world, emit);
  };
  return {
    initial: initialWorld(config, core),
    expand,
    encode: (world, out) => encodeWorld(world, out, varies),
    invariants: [...stateInvariants(run.judged.once), ...probes(core).map(run.judged.once)],
    goals: config.live ? goals(config) : [],
    fair: fair(config),
  };
}

function renaming(
  config: Config,
  core: Core,
  offered: World,
  input: Action['input'],
  result: Action['result'],
): Broken | null {
  if (!config.renamed || input === null || result === null) {
    return null;
  }
  const detail = judgeRenamed(core, offered.session, input, result);
  return detail === null
    ? null
    : { property: 'ids and tokens are names: a renamed step gives the renamed result', detail };
}

function restarts(run: Run, world: World, emit: Emit<World, Action>): void {
  const { report } = run;
  report.clear();
  if (world.session.fenced) {
    // The node that lost the lease ends its own agents before anybody may take the session over.
    if (world.processes.length > 0) {
      return;
    }
    const taken = recover(run, world);
    emit(
      { who: 'node', input: { at: 1, type: 'recovered' }, result: taken.result },
      kinds.takeover,
      taken.world,
      report.broken,
    );
  } else if (has(world, 'crash')) {
    const taken = recover(run, spend(world, 'crash'));
    emit(
      { who: 'node', input: { at: 1, type: 'recovered' }, result: taken.result },
      kinds.fault,
      taken.world,
      report.broken,
    );
  }
}

const probes = (core: Core): Invariant<StateView>[] => [
  { name: 'everything stale is fenced (probes)', check: (world) => probe(core, world) },
  { name: 'the rebuilt session is the lost one', check: (world) => rebuilt(core, world) },
];

function goals(config: Config): Goal<World>[] {
  const slots = config.slots.map((spec, index): Goal<World> => ({
    name: `rule 16: ${spec.name} reaches a terminal status`,
    pending: (world) => world.slots[index]?.state === 'open',
  }));
  const granted = config.slots.flatMap((spec, index): Goal<World>[] =>
    spec.lane === 'background'
      ? []
      : [
          {
            name: `rule 16: ${spec.name} is granted`,
            pending: ({ slots: all, session }) => {
              const slot = all[index];
              return slot?.state === 'open' && treeGet(session.tasks, slot.id)?.status === 'queued';
            },
          },
        ],
  );
  return [
    ...slots,
    ...granted,
    { name: 'rule 9: every drain ends', pending: ({ session }) => session.hold?.turn?.phase === 'draining' },
    {
      name: 'every wait for a person ends',
      pending: ({ session }) => (session.hold?.turn?.permissionRequests.length ?? 0) > 0,
    },
    {
      name: 'rule 9: every switch ends',
      pending: ({ session: { agent } }) => agent.kind === 'up' && agent.activity === 'switching',
    },
    { name: 'rule 9: every killed process is gone at last', pending: ({ session }) => session.agent.kind === 'ending' },
  ];
}

/** Deadlines, deaths of killed processes and runners come about; an agent's doings only if it is honest. */
function fair(config: Config): ReadonlyMap<number, string> {
  const classes = new Map<number, string>([
    [kinds.exit, 'a process that is ended is gone at last'],
    [kinds.takeover, 'a lost session is taken over'],
    [kinds.unpark, 'the operator unparks'],
    [kinds.lift, 'a throttle is lifted'],
  ]);
  for (const name of config.timers) {
    if (name !== 'collect' && name !== 'expiry' && name !== 'lease') {
      classes.set(kinds.timer + timerNames.indexOf(name), `the deadline ${name} passes`);
    }
  }
  for (const [index, spec] of config.slots.entries()) {
    classes.set(kinds.collect + index, `the window of ${spec.name} closes, or its time is up`);
    classes.set(kinds.runner + index, `the runner of ${spec.name} goes on`);
  }
  if (config.honest) {
    for (const kind of [
      kinds.ready,
      kinds.read,
      kinds.start,
      kinds.ack,
      kinds.result,
      kinds.unsolicited,
      kinds.steered,
      kinds.switched,
    ]) {
      classes.set(kind, 'the agent goes on');
    }
  }
  return classes;
}

/** Everything that can happen next, and what time has to wait for. */
import type { LeaseTimes } from '../../src/protocol/lease-times.ts';
import type { NodeRules } from './rules.ts';
import { noLook, notWatching, type LeaseConfig, type Row, type World } from './world.ts';

export type Offer = (who: string, does: string, next: World, wrong?: string | null) => void;

/** What all moves of a run have in common. */
export interface Setting {
  readonly config: LeaseConfig;
  readonly rules: NodeRules;
  readonly times: LeaseTimes;
}

/** Longer than anything waits: no clock counts further. */
const longest = 40;
const older = (age: number): number => Math.min(age + 1, longest);
const olderRow = (row: Row): Row => ({ ...row, age: older(row.age), shown: older(row.shown) });

export function moves(setting: Setting, world: World, offer: Offer): void {
  if (isOver(setting, world)) {
    return;
  }
  time(setting, world, offer);
  daemon(setting, world, offer);
  renewals(setting, world, offer);
  launcher(setting, world, offer);
  agents(setting, world, offer);
  watcher(setting, world, offer);
  successor(setting, world, offer);
  failover(setting, world, offer);
}

/** B has the session, A has nothing left that could run, and no row goes back. */
const isOver = ({ config }: Setting, { other, has, agent }: World): boolean =>
  other !== 'none' && !has && agent === 'none' && !config.failover;

const guards = ({ rules }: Setting, { daemon: is }: World): boolean => rules.guard === 'launcher' || is === 'up';

/** Signals do their work within `stopTakes`, and a steady node renews when it has to. */
function mustWait(setting: Setting, world: World): boolean {
  const { rules, times, config } = setting;
  const { agent, ending, leaseAge, other, unverified, pace, renewal } = world;
  const stop = rules.stopTakes(times);
  const freezes = agent === 'runs' && guards(setting, world) && leaseAge >= times.freezeMs + stop;
  const ends = ending !== null && ending >= stop;
  const otherFreezes = other === 'runs' && unverified !== null && unverified >= times.freezeMs + stop;
  const renews =
    config.steady &&
    (renewal === null ? rules.isDue(pace.sent, pace.answered, times) : renewal.age >= times.statementMs);
  return freezes || ends || otherFreezes || renews;
}

function time(setting: Setting, world: World, offer: Offer): void {
  if (mustWait(setting, world)) {
    return;
  }
  const { times, config } = setting;
  const { agent, daemon: is, leaseAge, renewal, look, watch, pace } = world;
  const aged = older(leaseAge);
  const isSilent = is !== 'up' && agent !== 'none' && config.kills;
  offer('the clock', 'ticks', {
    ...world,
    leaseAge: aged,
    wasSilent: world.wasSilent || (isSilent && leaseAge < times.killMs && aged >= times.killMs),
    ending: world.ending === null ? (isSilent && aged >= times.killMs ? 0 : null) : older(world.ending),
    renewal: renewal === null ? null : { ...renewal, age: older(renewal.age) },
    look: { ...look, age: older(look.age) },
    watch: watch.era < 0 ? watch : { ...watch, silence: older(watch.silence) },
    pace: { ...pace, sent: older(pace.sent), answered: older(pace.answered) },
    eraAge: older(world.eraAge),
    row: olderRow(world.row),
    standby: olderRow(world.standby),
    unverified: world.unverified === null ? null : older(world.unverified),
  });
}

function daemon({ config }: Setting, world: World, offer: Offer): void {
  if (config.steady || !config.stops || world.daemon === 'ended') {
    return;
  }
  if (world.daemon === 'stopped') {
    offer('the daemon of A', 'wakes', { ...world, daemon: 'up' });
    return;
  }
  offer('the daemon of A', 'is stopped', { ...world, daemon: 'stopped' });
  const ending = world.agent === 'none' ? null : (world.ending ?? 0);
  offer('the daemon of A', 'is killed, and the launcher begins to end the agent', {
    ...world,
    daemon: 'ended',
    ending,
  });
}

function renewals(setting: Setting, world: World, offer: Offer): void {
  const { config, rules, times } = setting;
  const { renewal, row, rowEra, pace } = world;
  if (renewal === null) {
    const isDue = !config.steady || rules.isDue(pace.sent, pace.answered, times);
    if (world.daemon === 'up' && !world.isDead && isDue) {
      offer('A', 'sends a renewal', { ...world, renewal: { age: 0, result: null }, pace: { ...pace, sent: 0 } });
    }
    return;
  }
  if (!config.steady || !pace.isLost) {
    const lost = { ...world, renewal: null, pace: { ...pace, answered: 0, isLost: true } };
    offer('the network', `loses the ${renewal.result === null ? 'renewal' : 'answer to a renewal'}`, lost);
  }
  if (renewal.result === null) {
    const isUp = rules.renews(row.state);
    const settled = isSettled(setting, world);
    const result = { state: isUp ? 'up' : 'dead', era: rowEra, settled, owns: row.owner === 'A' } as const;
    const renewed: Row = isUp
      ? { ...row, beat: Math.max(row.beat, world.watch.beat, world.standby.beat) + 1, age: 0, shown: 0 }
      : row;
    offer('the store', isUp ? 'renews A' : 'tells A that it is dead', {
      ...world,
      row: renewed,
      renewal: { ...renewal, result },
    });
  } else if (world.daemon === 'up') {
    offer('A', 'reads the answer to its renewal', answered(setting, world, renewal.age, renewal.result));
  }
}

type Result = NonNullable<NonNullable<World['renewal']>['result']>;

function answered({ rules, times }: Setting, world: World, age: number, result: Result): World {
  const read: World = { ...world, renewal: null, pace: { ...world.pace, answered: 0, isLost: false } };
  if (result.state === 'dead') {
    return { ...dropped(read), isDead: true };
  }
  if (world.has && result.era !== world.leaseEra && !rules.keeps(result.owns)) {
    return dropped(read);
  }
  const hasLapsed = world.leaseAge >= times.freezeMs;
  const mayResume = !hasLapsed || rules.resumes(result.era === world.leaseEra, result.settled);
  if (!rules.extends(age, times) || !mayResume) {
    return read;
  }
  // What is being ended already is ended.
  const agent = read.agent === 'frozen' && read.ending === null ? 'runs' : read.agent;
  return { ...read, agent, leaseAge: rules.leaseAge(age, 0), leaseEra: result.era, wasSilent: false };
}

/** A ends its agent and does not take the session for its own any more. */
const dropped = (world: World): World => ({
  ...world,
  has: false,
  ending: world.agent === 'none' ? null : (world.ending ?? 0),
});

/** Some node may have seen the era for a time-to-live, and have said so. The first one of all has nothing behind it. */
const isSettled = ({ times }: Setting, { rowEra, eraAge }: World): boolean => rowEra === 0 || eraAge >= times.ttlMs;

function launcher(setting: Setting, world: World, offer: Offer): void {
  const { times } = setting;
  const { agent, ending, leaseAge } = world;
  const who = `the ${setting.rules.guard} of A`;
  if (agent === 'runs' && leaseAge >= times.freezeMs && guards(setting, world)) {
    offer(who, 'freezes the agent', { ...world, agent: 'frozen' });
  }
  if (ending !== null) {
    offer(who, 'has ended the agent', { ...world, agent: 'none', ending: null, wasSilent: false });
  }
}

function agents(setting: Setting, world: World, offer: Offer): void {
  const { config, rules, times } = setting;
  const { agent, row, leaseAge } = world;
  if (world.daemon !== 'up' || world.isDead || config.steady) {
    return;
  }
  const isAlone = agent === 'none';
  if (world.has && (isAlone || world.ending !== null) && rules.starts(leaseAge, isAlone, times)) {
    const wrong = isAlone ? null : 'the agent before it is still there';
    offer('A', 'starts an agent', { ...world, agent: 'runs', ending: null }, wrong);
  }
  if (!config.releases) {
    return;
  }
  if (world.has && agent === 'runs' && world.ending === null) {
    offer('A', 'closes its agent', { ...world, agent: 'none' });
  }
  if (world.has && isAlone && row.owner === 'A') {
    offer('A', 'gives the session back', { ...world, has: false, row: { ...row, owner: null } });
  }
  const isFree = row.state === 'up' && row.owner !== 'B';
  if (!world.has && isAlone && isFree && rules.claims(isSettled(setting, world))) {
    offer('A', 'claims the session', { ...world, has: true, row: { ...row, owner: 'A' } });
  }
}

/** B has always a look under way, until it sends a declaration. */
function watcher({ rules, times, config }: Setting, world: World, offer: Offer): void {
  const { watch, row, rowEra } = world;
  // Who knows that A is dead watches no more.
  if (world.other !== 'none' || config.steady || row.state === 'dead') {
    return;
  }
  if (world.declares) {
    const isSame = rules.declares(row.beat === watch.beat, rowEra === watch.era);
    const state: Row['state'] = isSame ? 'dead' : row.state;
    const next = { ...world, declares: false, row: { ...row, state }, look: noLook };
    offer('the store', isSame ? 'declares A dead' : 'finds that A is alive', next);
    return;
  }
  looks(rules, world, offer);
  if (watch.era >= 0 && rules.silence(watch.silence, row.shown, row.age) >= times.ttlMs) {
    offer('B', 'sends that A is dead', { ...world, declares: true, look: noLook });
  }
}

function looks(rules: NodeRules, world: World, offer: Offer): void {
  const { look, watch, row, rowEra } = world;
  if (look.result === null) {
    const result = { beat: row.beat, era: rowEra };
    offer('the store', 'reads the beat for B', { ...world, look: { ...look, result } });
    return;
  }
  const { beat, era } = look.result;
  const isOther = rules.hasChanged(beat !== watch.beat, era !== watch.era);
  const next = isOther ? { beat, era, silence: rules.watchFrom(look.age, 0) } : { ...watch, beat, era };
  offer('B', `gets ${isOther ? 'another' : 'the same'} beat`, { ...world, look: noLook, watch: next });
}

/** What B does with the session. That it claims a free one after a failover is what A does too, and left to A. */
function successor({ rules, times, config }: Setting, world: World, offer: Offer): void {
  const { row, other, unverified, rowEra } = world;
  const isFree = (row.state === 'dead' && row.owner === 'A') || (row.owner === null && rowEra === 0);
  if (other === 'none' && isFree && !config.steady) {
    const claimed = { ...world, row: { ...row, owner: 'B' }, other: 'owns', watch: notWatching, look: noLook } as const;
    offer('B', 'claims the session', { ...claimed, declares: false });
  }
  const mayRun = unverified === null || unverified < times.freezeMs;
  if (other === 'owns' && mayRun) {
    offer('B', 'starts an agent', { ...world, other: 'runs' });
  }
  if (unverified === null) {
    return;
  }
  if (other === 'runs' && !mayRun) {
    offer('the launcher of B', 'freezes the agent', { ...world, other: 'frozen' });
  }
  const owns = rules.keeps(row.owner === 'B');
  const kept = { ...world, unverified: null, other: other === 'frozen' ? 'runs' : other } as const;
  const gone = { ...world, unverified: null, other: 'none', watch: notWatching } as const;
  offer(
    'B',
    owns ? 'finds that the session is still its own' : 'has lost the session, and ends its agent',
    owns ? kept : gone,
  );
}

function failover({ config }: Setting, world: World, offer: Offer): void {
  offer('the clock of the database', 'jumps', {
    ...world,
    row: { ...world.row, shown: longest },
    standby: { ...world.standby, shown: longest },
  });
  if (!config.failover || world.rowEra > 0) {
    return;
  }
  offer('the standby', 'has all there is', { ...world, standby: world.row });
  offer('the standby', 'becomes the store', {
    ...world,
    row: world.standby,
    rowEra: 1,
    eraAge: 0,
    unverified: world.other === 'none' ? null : 0,
  });
}

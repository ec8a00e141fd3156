/**
 * Judges what the demo saw. Nothing here trusts the daemon's word that all went well: each guarantee is derived again from
 * the tapes, from the feed and from the agent's own log.
 */
import type { KnownEvent, ReadEvent } from '../../client/index.ts';
import type { Evidence } from './evidence.ts';

export interface Judgement {
  readonly guarantee: string;
  /** What is wrong; empty: it held. */
  readonly breaches: readonly string[];
}

const terminal = ['completed', 'failed', 'cancelled'];

type Rule = (evidence: Evidence) => readonly string[];
export type NamedRule = readonly [guarantee: string, rule: Rule];

const tapesOf = (
  evidence: Evidence,
): readonly { readonly name: string; readonly task: string; readonly tape: readonly ReadEvent[] }[] =>
  evidence.receipts.map(({ name, task }) => ({ name, task, tape: evidence.tapes.get(task) ?? [] }));

const dense: Rule = (evidence) =>
  tapesOf(evidence).flatMap(({ name, tape }) => {
    const gap = tape.findIndex(({ seq }, index) => seq !== index + 1);
    if (tape.length === 0) {
      return [`the tape of ${name} is empty`];
    }
    return gap === -1 ? [] : [`event ${gap + 1} of ${name} has seq ${tape[gap]?.seq}`];
  });

const oneFinal: Rule = (evidence) =>
  tapesOf(evidence).flatMap(({ name, tape }) => {
    const finals = tape.filter(({ type }) => type === 'final').length;
    if (finals !== 1) {
      return [`${name} has ${finals} final events`];
    }
    return tape.at(-1)?.type === 'final' ? [] : [`${name} has events after its final one`];
  });

const followed: Rule = (evidence) =>
  tapesOf(evidence).flatMap(({ name, task, tape }) => {
    const live = evidence.feed.filter((event) => event.task === task).map(({ seq, type }) => `${seq} ${type}`);
    const stored = tape.map(({ seq, type }) => `${seq} ${type}`);
    return live.join() === stored.join()
      ? []
      : [`${name}: ${live.length} events were streamed, ${stored.length} are stored`];
  });

const isGrant = (event: ReadEvent): event is KnownEvent<'granted' | 'resumed'> =>
  event.type === 'granted' || event.type === 'resumed';

/** The grants in the order of their commits, each with the name of its task. */
function grants(
  evidence: Evidence,
): readonly { readonly name: string; readonly epoch: number; readonly type: string }[] {
  const names = new Map(evidence.receipts.map(({ name, task }) => [task, name]));
  return evidence.feed.filter(isGrant).map(({ task, type, data }) => ({
    name: names.get(task ?? '') ?? String(task),
    epoch: data.epoch,
    type,
  }));
}

const order: Rule = (evidence) => {
  const wanted = [evidence.background, ...evidence.receipts.map(({ name }) => name)].join(', ');
  const got = grants(evidence)
    .map(({ name }) => name)
    .join(', ');
  const ended = evidence.feed.filter(({ type }) => type === 'final').map(({ task }) => task);
  const wantedEnds = evidence.receipts.map(({ task }) => task);
  return [
    ...(got === wanted ? [] : [`the session was owned by ${got}, not by ${wanted}`]),
    ...(ended.join() === wantedEnds.join() ? [] : ['the tasks did not end in that order']),
  ];
};

const preempted: Rule = (evidence) => {
  const tape = evidence.tapes.get(evidence.receipts.find(({ name }) => name === evidence.background)?.task ?? '') ?? [];
  const at = (type: ReadEvent['type']): number => tape.findIndex((event) => event.type === type);
  return at('preempted') !== -1 && at('resumed') > at('preempted')
    ? []
    : [`the tape of ${evidence.background} does not say preempted, then resumed`];
};

/** The interrupt is in the same commit as the delivery that caused it: side by side in the feed, at the same time. */
const samePass: Rule = (evidence) => {
  const at = evidence.feed.findIndex(({ type }) => type === 'interrupt-requested');
  const interrupt = evidence.feed[at];
  if (interrupt?.type !== 'interrupt-requested') {
    return ['there was no interrupt'];
  }
  const cause = evidence.feed.slice(0, at).findLast(({ type }) => type === 'queued');
  const between = evidence.feed.slice(0, at).findLastIndex(({ type }) => type === 'queued');
  const together =
    cause !== undefined && cause.task === interrupt.data.by?.name && cause.at === interrupt.at && at - between === 1;
  return together && interrupt.data.sent ? [] : ['the interrupt did not leave with the commit of its delivery'];
};

/** Epochs only grow; between two grants only the owner takes turns, and its hold ends before the next grant. */
const oneOwner: Rule = (evidence) => {
  const breaches: string[] = [];
  let owner: string | null = null;
  let epoch = 0;
  for (const event of evidence.feed) {
    if (isGrant(event)) {
      const next = event.data.epoch;
      if (owner !== null) {
        breaches.push(`${event.task} got the session while ${owner} had it`);
      }
      if (!(next > epoch)) {
        breaches.push(`epoch ${next} came after epoch ${epoch}`);
      }
      owner = event.task;
      epoch = next;
    } else if (event.type === 'turn-sent' && event.task !== owner) {
      breaches.push(`${event.task} took a turn without owning the session`);
    } else if ((event.type === 'preempted' || event.type === 'final') && event.task === owner) {
      owner = null;
    } else if (event.type === 'recovered') {
      // The node that had it is dead.
      owner = null;
    }
  }
  return breaches;
};

const accounted: Rule = (evidence) =>
  evidence.receipts.flatMap(({ name, task }) => {
    const status = evidence.statuses.get(task);
    return terminal.includes(status ?? '') ? [] : [`${name} was accepted and is ${status ?? 'unknown'}`];
  });

/** From the agents' own log: one process served the session at a time, and none is left. */
const processes: Rule = ({ agentLog, strays }) => [
  ...(agentLog.some(({ event }) => event === 'started') ? [] : ['no agent process has logged that it started']),
  ...agentLog
    .filter(({ event }) => event === 'overlap')
    .map(({ pid }) => `agent ${pid} started while another one served the session`),
  ...strays.map((pid) => `process ${pid} is still there`),
];

const tapeRules: readonly NamedRule[] = [
  ['every tape is dense from 1', dense],
  ['every task has exactly one final, and it is last', oneFinal],
  ['what was streamed live is what is stored', followed],
];

const ownerRules: readonly NamedRule[] = [
  ['the background task was preempted, and resumed', preempted],
  ['the interrupt left in the same pass as the commit', samePass],
  ['one owner at a time, by growing epochs', oneOwner],
  ['whatever was accepted has its outcome', accounted],
  ['one agent process at a time, none left behind', processes],
];

/** `further`: those that only this demo shows. */
export const judge = (evidence: Evidence, further: readonly NamedRule[]): readonly Judgement[] =>
  [...tapeRules, ...further, ...ownerRules].map(([guarantee, rule]) => ({ guarantee, breaches: rule(evidence) }));

export const verify = (evidence: Evidence): readonly Judgement[] =>
  judge(evidence, [['order: A and B, then the background task, then C', order]]);

export const allHeld = (judgements: readonly Judgement[]): boolean =>
  judgements.every(({ breaches }) => breaches.length === 0);

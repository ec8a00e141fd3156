/**
 * What must hold after the last fault, read from the feed of each session, the tapes, what followers saw, and the agents' own log.
 *
 * A session has an owner from `granted` or `resumed` to `preempted`, `turn-retried`, `recovered` or the `final` of that task.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { AgentLogLine } from '../../../src/agents/scripted/program/log.ts';
import { AppError } from '../../../src/core/errors.ts';
import type { Client, ReadEvent, ReadFeedEvent } from '../../../src/client/index.ts';
import { wrongOrder } from '../harness/judge-tape.ts';
import type { Findings } from './findings.ts';
import type { Accepted } from './load.ts';

type Known = Extract<ReadFeedEvent, { kind: 'known' }>;

const pageSize = 500;

export async function readFeed(client: Client, session: string): Promise<readonly Known[]> {
  const feed: Known[] = [];
  for (let after: string | undefined; ;) {
    const query = { limit: pageSize, ...(after === undefined ? {} : { after }) };
    const page = await client
      .sessionEvents(session, query)
      .catch((error: unknown): Awaited<ReturnType<Client['sessionEvents']>> => {
        // All that was accepted for it is gone, and is found so.
        if (error instanceof AppError && error.code === 'unknown_session') {
          return { items: [], next: null };
        }
        throw error;
      });
    feed.push(...page.items.filter((event): event is Known => event.kind === 'known'));
    if (page.items.length < pageSize || page.next === null) {
      return feed;
    }
    after = page.next;
  }
}

/** Each tape of it: dense, in order, with one `final` at its end. Gives the tapes of its tasks. */
function judgeTapes(feed: readonly Known[], findings: Findings): ReadonlyMap<string, readonly Known[]> {
  const tapes = Map.groupBy(feed, ({ task }) => task ?? '');
  for (const [task, tape] of tapes) {
    const seen = new Set<number>();
    for (const { seq } of tape) {
      if (seen.has(seq)) {
        findings.add('doubled', `event ${seq} of ${task} is in the feed twice`);
      }
      seen.add(seq);
    }
    if (task === '') {
      const gap = tape.findIndex(({ seq }, at) => seq !== at + 1);
      if (gap !== -1) {
        findings.add('lost', `the tape of ${tape[0]?.session ?? ''} has ${tape[gap]?.seq} where ${gap + 1} belongs`);
      }
    } else {
      findings.add('finals', ...wrongOrder(task, tape));
    }
  }
  tapes.delete('');
  return tapes;
}

/** One owner at a time; epochs, turns and the numbers of agents grow. */
function judgeOwners(feed: readonly Known[], findings: Findings): void {
  let owner: string | null = null;
  const last = { epoch: 0, turn: 0, incarnation: 0 };
  const grows = (what: keyof typeof last, value: number, event: Known): void => {
    if (value <= last[what]) {
      findings.add('epochs', `${event.session}: ${event.type} has the ${what} ${value} after ${last[what]}`);
    }
    last[what] = value;
  };
  for (const event of feed) {
    if (event.type === 'granted' || event.type === 'resumed') {
      grows('epoch', event.data.epoch, event);
      if (owner !== null) {
        findings.add('owners', `${event.session}: ${event.task} is granted while ${owner} owns it`);
      }
      owner = event.task;
    } else if (event.type === 'turn-sent') {
      grows('turn', event.data.turn, event);
      if (owner !== event.task) {
        findings.add('owners', `${event.session}: ${event.task} has a turn while ${owner ?? 'none'} owns it`);
      }
    } else if (event.type === 'agent-starting') {
      grows('incarnation', event.data.incarnation, event);
    } else if (event.type === 'recovered' || (ends.includes(event.type) && owner === event.task)) {
      owner = null;
    }
  }
}

/** The hold of a task. */
const ends: readonly string[] = ['preempted', 'turn-retried', 'final'];

/** Who has his answer is before whoever asks later, at any node. */
function judgeAdmissions(accepted: readonly Accepted[], feed: readonly Known[], findings: Findings): void {
  const admitted = feed.filter(({ type }) => type === 'queued').map(({ task }) => task ?? '');
  const positions = new Map(admitted.map((task, at) => [task, at]));
  for (const one of accepted) {
    for (const other of accepted) {
      const [before, behind] = [positions.get(one.task) ?? -1, positions.get(other.task) ?? -1];
      if (one.acceptedAt < other.sentAt && before > behind && behind !== -1) {
        findings.add(
          'order',
          `${other.key} was sent after ${one.key} was accepted, and is before it in ${one.session}`,
        );
      }
    }
  }
}

/** No agent works once its successor has begun, and no turn is prompted twice, or without being on a tape. */
export function judgeAgents(
  log: string,
  turns: ReadonlySet<string>,
  findings: Findings,
): { readonly stoodStill: number } {
  const lines = linesOf(log).toSorted((a, b) => (BigInt(a.at) < BigInt(b.at) ? -1 : 1));
  const serving = new Map<string, AgentLogLine>();
  const prompted = new Set<string>();
  let stoodStill = 0;
  for (const line of lines) {
    const { event, session, incarnation, pid } = line;
    const one = `${session} ${incarnation}`;
    const now = serving.get(session);
    if (event === 'started') {
      if (now !== undefined && incarnation <= now.incarnation) {
        findings.add('epochs', `agent ${incarnation} of ${session} has started after ${now.incarnation}`);
      }
      serving.set(session, line);
    } else if (event === 'overlap') {
      if (line['stopped'] === true) {
        stoodStill += 1;
      } else {
        findings.add('agents', `process ${pid} has begun in ${session} while ${String(line['other'])} lives`);
      }
    } else if (now !== undefined && now.pid !== pid) {
      findings.add('agents', `process ${pid} of ${session} says ${event} after its successor ${now.pid} has begun`);
    }
    if (event === 'prompt') {
      const turn = `${session} ${String(line['turn'])}`;
      if (prompted.has(turn)) {
        findings.add('doubled', `turn ${turn} was prompted twice`);
      }
      prompted.add(turn);
      if (!turns.has(`${one} ${String(line['turn'])}`)) {
        findings.add('lost', `turn ${turn} of agent ${incarnation} is on no tape`);
      }
    }
  }
  return { stoodStill };
}

const linesOf = (log: string): readonly AgentLogLine[] =>
  (existsSync(log) ? readFileSync(log, 'utf8') : '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AgentLogLine);

export interface Evidence {
  readonly client: Client;
  readonly accepted: readonly Accepted[];
  readonly followed: ReadonlyMap<string, readonly ReadEvent[]>;
  readonly log: string;
  /** For whoever looks for the cause: the feed of a session in which something is wrong. */
  readonly keep: (name: string, content: string) => void;
}

export async function judge(
  { client, accepted, followed, log, keep }: Evidence,
  findings: Findings,
): Promise<{ readonly stoodStill: number }> {
  const keys = new Map<string, string>();
  const turns = new Set<string>();
  for (const [session, tasks] of Map.groupBy(accepted, (one) => one.session)) {
    const feed = await readFeed(client, session);
    const before = findings.lines.length;
    const tapes = judgeTapes(feed, findings);
    judgeOwners(feed, findings);
    judgeAdmissions(tasks, feed, findings);
    for (const event of feed) {
      if (event.type === 'turn-sent') {
        turns.add(`${session} ${event.data.incarnation} ${event.data.turn}`);
      }
    }
    for (const { key, task } of tasks) {
      const other = keys.get(task);
      if (other !== undefined) {
        findings.add('doubled', `task ${task} answers for ${other} and ${key}`);
      }
      keys.set(task, key);
      if (!tapes.has(task)) {
        findings.add('lost', `accepted task ${task} (${key}) is gone`);
      }
      judgeFollower(task, followed.get(task), tapes.get(task) ?? [], findings);
    }
    if (findings.lines.length > before) {
      keep(`${session}.jsonl`, feed.map((event) => JSON.stringify(event)).join('\n'));
    }
    const known = new Set(tasks.map(({ task }) => task));
    // Each caller asks until he is answered: what is there was accepted.
    const more = [...tapes.keys()].filter((task) => !known.has(task));
    findings.add('doubled', ...more.map((task) => `task ${task} of ${session} was accepted by nobody`));
  }
  return judgeAgents(log, turns, findings);
}

function judgeFollower(
  task: string,
  seen: readonly ReadEvent[] | undefined,
  tape: readonly Known[],
  findings: Findings,
): void {
  const told = (events: readonly ReadEvent[]): string =>
    events.map((event) => `${event.seq} ${event.type ?? ''} ${event.at}`).join(', ');
  if (seen !== undefined && told(seen) !== told(tape)) {
    findings.add('order', `a follower of ${task} saw [${told(seen)}], its tape is [${told(tape)}]`);
  }
}

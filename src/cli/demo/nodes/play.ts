/**
 * The play on several nodes: a background task of one node, an urgent task that comes in through another one, and the end of the first
 * node by SIGKILL. Everything is seen from a node that does not own the session.
 */
import type { Client, Lane, ReadEvent } from '../../../client/index.ts';
import type { Receipt } from '../evidence.ts';
import { textOf } from '../evidence.ts';
import type { DeliveryTimes } from '../figures.ts';
import { Usher } from '../play.ts';

export const background = 'background';
export const taskNames = ['A', 'B', background] as const;
const work = '[[work:10,220]]';
/** A comes when so many steps of the work are done, and the node is killed after so many. */
const stepsBefore = { urgent: 3, kill: 6 };

export interface StageNode {
  readonly name: string;
  readonly client: Client;
  /** Ends it by SIGKILL. */
  readonly kill: () => Promise<void>;
}

export interface NodesStage {
  /** The first one owns the session; what comes later comes in through the second; the last one is watched. */
  readonly nodes: readonly StageNode[];
  readonly session: string;
  /** Called with each receipt before any event of its task is seen by `onEvent`. */
  readonly onReceipt: (receipt: Receipt, what: string) => void;
  readonly onEvent: (event: ReadEvent) => void;
  /** A node: what it does or suffers. */
  readonly onNode: (name: string, what: string) => void;
  readonly signal: AbortSignal;
}

export interface NodesPlayed {
  readonly receipts: readonly Receipt[];
  readonly feed: readonly ReadEvent[];
  /** The tape of the background task, followed through the node that is watched. */
  readonly tape: readonly ReadEvent[];
  /** Of A. */
  readonly times: DeliveryTimes;
  /** Monotonic nanoseconds. Null: it did not happen. */
  readonly killedAt: bigint | null;
  readonly takenAt: bigint | null;
  /** Nodes that owned the session: before the kill, and after the takeover. */
  readonly owners: { readonly before: readonly string[]; readonly after: readonly string[] };
}

/** What the play waits for, by the events that it sees. */
class Cues {
  readonly urgent = Promise.withResolvers<void>();
  readonly kill = Promise.withResolvers<void>();
  readonly taken = Promise.withResolvers<void>();
  #isPreempted = false;

  see(event: ReadEvent): void {
    const text = textOf(event);
    this.#isPreempted ||= event.type === 'preempted';
    if (text.startsWith(`step ${stepsBefore.urgent}/`)) {
      this.urgent.resolve();
    } else if (text.startsWith(`step ${stepsBefore.kill}/`) && this.#isPreempted) {
      this.kill.resolve();
    } else if (event.type === 'recovered') {
      this.taken.resolve();
    }
  }
}

const ownersSeenBy = async ({ client }: StageNode): Promise<readonly string[]> =>
  (await client.nodes()).items.filter(({ sessions }) => sessions > 0).map(({ name }) => name);

async function tapeThrough({ client }: StageNode, task: string, signal: AbortSignal): Promise<readonly ReadEvent[]> {
  const tape: ReadEvent[] = [];
  for await (const event of client.follow(task, { signal })) {
    tape.push(event);
  }
  return tape;
}

export async function playOnNodes(stage: NodesStage): Promise<NodesPlayed> {
  const { nodes, session, signal } = stage;
  const [first, door, watched = door] = nodes;
  if (first === undefined || door === undefined || watched === undefined) {
    throw new RangeError('a play on nodes has at least two');
  }
  const cues = new Cues();
  const usher = new Usher(stage.onEvent);
  const receipts: Receipt[] = [];
  const submit = async (node: StageNode, name: string, lane: Lane, prompt: string) => {
    const sent = process.hrtime.bigint();
    const { task } = await node.client.submit({ session, lane, source: 'demo', prompt }, { signal });
    const receipt = { name, task };
    receipts.push(receipt);
    stage.onReceipt(receipt, `POST /v1/tasks at ${node.name}, lane ${lane}`);
    usher.know(task);
    return { receipt, times: { name, sent, answered: process.hrtime.bigint() } };
  };
  const worker = (await submit(first, background, 'background', `Write the release notes. ${work}`)).receipt;
  const tape = tapeThrough(watched, worker.task, signal);
  const acts = async () => {
    await cues.urgent.promise;
    const before = await ownersSeenBy(watched);
    const { times } = await submit(door, 'A', 'interactive', 'Which tests fail?');
    await cues.kill.promise;
    const killedAt = process.hrtime.bigint();
    await first.kill();
    stage.onNode(first.name, 'is killed: SIGKILL, without a last word');
    const last = submit(door, 'B', 'interactive', 'Is anybody there?');
    await cues.taken.promise;
    const takenAt = process.hrtime.bigint();
    const after = await ownersSeenBy(watched);
    stage.onNode(
      after.join(' and '),
      `takes the session over, ${Math.round(Number(takenAt - killedAt) / 1e6)} ms later`,
    );
    await last;
    return { times, killedAt, takenAt, owners: { before, after } };
  };
  const acted = acts();
  // They are awaited below; a rejection before that must not end the process.
  acted.catch(() => {});
  tape.catch(() => {});
  const feed: ReadEvent[] = [];
  const ended = new Set<string | null>();
  for await (const event of watched.client.followAll({ signal })) {
    feed.push(event);
    cues.see(event);
    usher.take(event);
    if (event.type === 'final') {
      ended.add(event.task);
    }
    if (ended.size === taskNames.length) {
      break;
    }
  }
  return { receipts, feed, tape: await tape, ...(await acted) };
}

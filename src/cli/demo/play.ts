/**
 * The play itself: a background task, and three signed GitHub deliveries while it streams. Everything goes over HTTP, as it
 * would from outside; what happens is seen on the daemon's own event stream.
 */
import type { Client, ReadEvent } from '../../client/index.ts';
import { AppError } from '../../core/errors.ts';
import type { RecordedDelivery } from '../../gateways/github/recorded/index.ts';
import type { Evidence, Receipt } from './evidence.ts';
import { textOf } from './evidence.ts';
import type { DeliveryTimes } from './figures.ts';

export const names = ['A', 'B', 'C', 'background'] as const;
const background = 'background';
/** The deliveries for which somebody waits. The last one is a machine's: it waits until the background task has ended. */
export const urgent = 2;
const work = '[[work:10,220]]';
/** The deliveries come when this many steps of the work are done. */
const stepsBefore = 3;
/** A demo that takes longer than this has failed. */
export const playDeadlineMs = 18_000;

interface Stage {
  readonly url: string;
  readonly client: Client;
  readonly session: string;
  readonly deliveries: readonly RecordedDelivery[];
  readonly sign: (
    delivery: RecordedDelivery,
  ) => Promise<{ readonly headers: Readonly<{ [name: string]: string }>; readonly body: string }>;
  /** Called with each receipt before any event of its task is seen by `onEvent`. */
  readonly onReceipt: (receipt: Receipt, what: string) => void;
  readonly onEvent: (event: ReadEvent) => void;
  readonly signal: AbortSignal;
}

export interface Played {
  readonly receipts: readonly Receipt[];
  readonly feed: readonly ReadEvent[];
  readonly times: readonly DeliveryTimes[];
}

async function deliver(
  stage: Stage,
  delivery: RecordedDelivery,
  name: string,
): Promise<{ receipt: Receipt; times: DeliveryTimes }> {
  const { headers, body } = await stage.sign(delivery);
  const sent = process.hrtime.bigint();
  const response = await fetch(new URL('/hooks/github', stage.url), { method: 'POST', headers, body });
  const answer = await response.text();
  const answered = process.hrtime.bigint();
  const { task } = JSON.parse(answer) as { readonly task?: string };
  if (response.status !== 202 || task === undefined) {
    throw new AppError({
      code: 'bad_response',
      message: `delivery ${name} was answered ${response.status}: ${answer}`,
    });
  }
  return { receipt: { name, task }, times: { name, sent, answered } };
}

/** Events wait here until the receipt that names their task has been read: each comes over its own connection. */
export class Usher {
  readonly #known = new Set<string>();
  readonly #waiting: ReadEvent[] = [];
  readonly #onEvent: (event: ReadEvent) => void;

  constructor(onEvent: (event: ReadEvent) => void) {
    this.#onEvent = onEvent;
  }

  know(task: string): void {
    this.#known.add(task);
    this.#flush();
  }

  take(event: ReadEvent): void {
    this.#waiting.push(event);
    this.#flush();
  }

  #flush(): void {
    for (let event = this.#waiting[0]; event !== undefined; event = this.#waiting[0]) {
      if (event.task !== null && !this.#known.has(event.task)) {
        return;
      }
      this.#waiting.shift();
      this.#onEvent(event);
    }
  }
}

export async function play(stage: Stage): Promise<Played> {
  const feed: ReadEvent[] = [];
  const served: Receipt[] = [];
  const times: DeliveryTimes[] = [];
  const usher = new Usher(stage.onEvent);
  const admit = (receipt: Receipt, what: string): void => {
    stage.onReceipt(receipt, what);
    usher.know(receipt.task);
  };
  const prompt = `Write the release notes. ${work}`;
  const { task } = await stage.client.submit({ session: stage.session, lane: 'background', source: 'demo', prompt });
  const worker: Receipt = { name: background, task };
  admit(worker, 'POST /v1/tasks, lane background');
  const deliverAll = async (): Promise<void> => {
    for (const [index, delivery] of stage.deliveries.entries()) {
      const one = await deliver(stage, delivery, names[index] ?? '');
      served.push(one.receipt);
      times.push(one.times);
      admit(one.receipt, delivery.title);
    }
  };
  let delivering: Promise<void> | null = null;
  const ended = new Set<string>();
  for await (const event of stage.client.followAll({ signal: stage.signal })) {
    feed.push(event);
    usher.take(event);
    const isStep = event.type === 'output' && textOf(event).startsWith(`step ${stepsBefore}/`);
    if (isStep && delivering === null) {
      delivering = deliverAll();
      // It is awaited below; a rejection before that must not end the process.
      delivering.catch(() => {});
    }
    if (event.type === 'final' && event.task !== null) {
      ended.add(event.task);
    }
    if (ended.size === stage.deliveries.length + 1 || (delivering === null && ended.has(worker.task))) {
      break;
    }
  }
  await delivering;
  return { receipts: [...served.slice(0, urgent), worker, ...served.slice(urgent)], feed, times };
}

/** What the daemon has stored, read again by its public API. */
export async function collect(
  client: Client,
  receipts: readonly Receipt[],
): Promise<Pick<Evidence, 'tapes' | 'statuses'>> {
  const tapes = new Map<string, readonly ReadEvent[]>();
  const statuses = new Map<string, string>();
  for (const { task } of receipts) {
    const tape: ReadEvent[] = [];
    for (let after = 0; ;) {
      const page = await client.taskEvents(task, { after, limit: 500 });
      tape.push(...page.items);
      if (page.items.length === 0 || page.final) {
        break;
      }
      after = page.next;
    }
    tapes.set(task, tape);
    statuses.set(task, (await client.task(task)).status);
  }
  return { tapes, statuses };
}

/** Runs a chain of follow-ups and watches it: used by the benchmark, with the full length, and by a test, with less. */
import { functionDriver } from '../../src/agents/index.ts';
import type { Session } from '../../src/core/model/session.ts';
import { createSignalbox, type Signalbox } from '../../src/runtime/index.ts';
import { openSqliteStore, type StoredEvent } from '../../src/store/index.ts';
import { collectGarbage } from './garbage.ts';

interface ChainReport {
  readonly length: number;
  readonly seconds: number;
  /** Frames on the stack inside a step: of the first, and of the deepest. */
  readonly depthFirst: number;
  readonly depthMost: number;
  /** Steps after the first grant and before the last end at which nobody owned the session. */
  readonly freeWindows: number;
  /** Grants, each by an epoch of its own; the epochs follow on one another. */
  readonly owners: number;
  /** Bytes after a collection of garbage: after a tenth of the chain, and at its end. */
  readonly heapBefore: number;
  readonly heapAfter: number;
  readonly tapes: { readonly read: number; readonly broken: number };
}

const session = 'bench:chain';

interface ChainOptions {
  readonly length: number;
  /** Characters that each prompt has beyond its number, so that whatever keeps a task keeps much. */
  readonly padding?: number;
  readonly progress?: (done: number) => void;
}

export async function runChain(
  path: string,
  { length, padding = 0, progress = () => {} }: ChainOptions,
): Promise<ChainReport> {
  const watch = new Watch(length);
  let made = 0;
  let last = '';
  const ended = Promise.withResolvers<void>();
  let heapBefore = 0;
  let box: Signalbox | null = null;
  const submit = async (): Promise<void> => {
    const answer = await box?.submit({
      session,
      prompt: `follow-up ${made}${' '.repeat(padding)}`,
      whenBusy: 'enqueue',
    });
    if (answer?.kind !== 'accepted') {
      throw new Error(`refused: ${answer?.code ?? 'there is no runtime'}`);
    }
    made += 1;
    last = answer.task;
  };
  const agent = functionDriver(async function* () {
    progress(made);
    if (made === Math.ceil(length / 10)) {
      heapBefore = heapNow();
    }
    // The next is accepted before this turn ends.
    if (made < length) {
      await submit();
    }
    yield 'done';
  });
  box = createSignalbox({
    store: openSqliteStore({ path, durability: 'process' }),
    agent,
    observe: (before, _input, { session: after }) => watch.see(before, after),
    onError: (error) => ended.reject(error),
  });
  await box.ready;
  box.listen({ session: await firstKey(box, submit) }, (events) => {
    for (const { type, task } of events) {
      if (type === 'final' && made === length && task === last) {
        ended.resolve();
      }
    }
  });
  const began = performance.now();
  await ended.promise;
  const seconds = (performance.now() - began) / 1000;
  const heapAfter = heapNow();
  const tapes = await readTapes(box);
  await box.close({ graceMs: 0 });
  const { depthFirst, depthMost, freeWindows, owners } = watch;
  return {
    length,
    seconds,
    depthFirst,
    depthMost,
    freeWindows,
    owners,
    heapBefore,
    heapAfter,
    tapes,
  };
}

async function firstKey(box: Signalbox, submit: () => Promise<void>) {
  await submit();
  const view = await box.session(session);
  if (view === null) {
    throw new Error('the session is not there');
  }
  return view.key;
}

function heapNow(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Sees every step, from within it. */
class Watch {
  readonly #length: number;
  #granted = false;
  depthFirst = 0;
  depthMost = 0;
  freeWindows = 0;
  owners = 0;
  #steps = 0;

  constructor(length: number) {
    this.#length = length;
  }

  see(before: Session, after: Session): void {
    this.#steps += 1;
    // The stack of every step is too dear to look at.
    if (this.#steps < 50 || this.#steps % 97 === 0) {
      this.#look();
    }
    if (before.hold?.epoch !== after.hold?.epoch && after.hold !== null) {
      this.#granted = true;
      this.owners += 1;
      if (after.hold.epoch !== before.epoch + 1) {
        throw new Error('an epoch was left out, or used twice');
      }
    }
    if (this.#granted && after.hold === null && this.owners < this.#length) {
      this.freeWindows += 1;
    }
  }

  #look(): void {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 10_000;
    const depth = (new Error().stack ?? '').split('\n').length - 1;
    Error.stackTraceLimit = limit;
    // The very first steps come from the caller's own stack.
    if (this.#steps < 50) {
      this.depthFirst = Math.max(this.depthFirst, depth);
    }
    this.depthMost = Math.max(this.depthMost, depth);
  }
}

/** A tape must begin with `queued`, be granted the epoch after its predecessor's, and end with its only `final`. */
async function readTapes(box: Signalbox): Promise<ChainReport['tapes']> {
  let read = 0;
  let broken = 0;
  let later: number | null = null;
  let cursor: string | null = null;
  do {
    // Newest first.
    const page: Awaited<ReturnType<Signalbox['tasks']>> = await box.tasks({}, cursor, 200);
    for (const { row } of page.items) {
      const events = await box.tape(session, row.id, 0, 100);
      const epoch = epochOf(events);
      const sound =
        events[0]?.type === 'queued' &&
        epoch !== null &&
        (later === null || epoch === later - 1) &&
        events.filter(({ type }) => type === 'final').length === 1 &&
        events.at(-1)?.type === 'final' &&
        events.every(({ seq }, at) => seq === at + 1);
      read += 1;
      broken += sound ? 0 : 1;
      later = epoch;
    }
    ({ cursor } = page);
  } while (cursor !== null);
  return { read, broken };
}

/** Null unless it was granted exactly once. */
function epochOf(events: readonly StoredEvent[]): number | null {
  const [granted, ...more] = events.filter(({ type }) => type === 'granted');
  const { epoch } = (granted?.data ?? {}) as { readonly epoch?: number };
  return more.length > 0 ? null : (epoch ?? null);
}

/**
 * A store as a network shows it: every method answers by a promise. What is under way at once is carried out in any order,
 * and answered in any order again. `postpone` says when.
 *
 * Owns nothing but the outcomes of the commits under way. Called by whatever is tested over it.
 *  late/1 A call does nothing before it returns; it is carried out in one `postpone`, and answered in another.
 *  late/2 A commit whose way or whose answer got lost is answered as what became of it (`store/7`): it is looked up, and sent
 *         again if it is not there.
 *  late/3 `close` waits for the answers to all calls before it. A call behind it is rejected without a journey.
 *  late/4 The methods of `nodes` and `outbox` answer late as well, but for those of hints, which answer nothing.
 */
import { storeClosed } from '../../store/errors.ts';
import type { Nodes } from '../../store/nodes.ts';
import type { Outbox } from '../../store/outbox.ts';
import type { CommitOutcome, SessionCommit, Store } from '../../store/port.ts';

/** Calls `run` once, later. Which of those that wait is next, is the test's choice. */
export type Postpone = (run: () => void) => void;

export interface LateOptions {
  /** Asked twice for each commit: whether it gets lost on its way, and whether its answer does. Default: never. */
  readonly loses?: () => boolean;
}

/** `store` as it answers late. What it throws at once, the late one answers as a rejection. */
export function lateStore(store: Store, postpone: Postpone, options: LateOptions = {}): Store {
  const { loses = () => false } = options;
  const journey = (): Promise<void> =>
    new Promise((resolve) => {
      postpone(resolve);
    });
  const late = async <T>(work: () => T): Promise<Awaited<T>> => {
    await journey();
    try {
      return await work();
    } finally {
      await journey();
    }
  };
  const underWay = new Set<Promise<unknown>>();
  let closing: Promise<void> | null = null;
  const begin = async <T>(call: () => Promise<T>): Promise<T> => {
    if (closing !== null) {
      throw storeClosed();
    }
    const answer = call();
    underWay.add(answer);
    try {
      return await answer;
    } finally {
      underWay.delete(answer);
    }
  };
  const close = async (): Promise<void> => {
    await Promise.allSettled(underWay);
    await late(() => store.close());
  };
  const commit = async (commits: readonly SessionCommit[]): Promise<readonly CommitOutcome[]> => {
    let written: readonly CommitOutcome[] | null = null;
    for (;;) {
      if (loses()) {
        await journey();
        continue;
      }
      written = await late(() => written ?? store.commit(commits));
      if (!loses()) {
        return written;
      }
    }
  };
  const lateOf =
    (target: object, method: Method): Method =>
    (...given) =>
      begin(() => late((): unknown => Reflect.apply(method, target, given)));
  const nodes = store.nodes === null ? null : lateNodes(store.nodes, lateOf);
  const outbox = lateOutbox(store.outbox, lateOf);
  return new Proxy(store, {
    get(target, name) {
      if (name === 'nodes') {
        return nodes;
      }
      if (name === 'outbox') {
        return outbox;
      }
      if (name === 'commit') {
        return (commits: readonly SessionCommit[]) => begin(() => commit(commits));
      }
      if (name === 'close') {
        return () => (closing ??= close());
      }
      const value: unknown = Reflect.get(target, name);
      return isMethod(value) ? lateOf(target, value) : value;
    },
  });
}

type Method = (...given: unknown[]) => unknown;

const isMethod = (value: unknown): value is Method => typeof value === 'function';

const hints: ReadonlySet<PropertyKey> = new Set<keyof Nodes>(['onHint', 'hintEvents']);

const lateNodes = (nodes: Nodes, lateOf: (target: object, method: Method) => Method): Nodes =>
  new Proxy(nodes, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (!isMethod(value)) {
        return value;
      }
      return hints.has(name)
        ? (...given: unknown[]): unknown => Reflect.apply(value, target, given)
        : lateOf(target, value);
    },
  });

const lateOutbox = (outbox: Outbox, lateOf: (target: object, method: Method) => Method): Outbox =>
  new Proxy(outbox, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      return isMethod(value) ? lateOf(target, value) : value;
    },
  });

/** One after the other, each in its own pass of the event loop, in an order drawn from the seed. */
export function shuffled(seed: number): Postpone {
  const waiting: (() => void)[] = [];
  let state = seed;
  const draw = (below: number): number => {
    // A linear congruential generator with the constants of Numerical Recipes; its high bits are the better ones.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const next = (): void => {
    const [run] = waiting.splice(draw(waiting.length), 1);
    if (waiting.length > 0) {
      setImmediate(next);
    }
    run?.();
  };
  return (run) => {
    waiting.push(run);
    if (waiting.length === 1) {
      setImmediate(next);
    }
  };
}

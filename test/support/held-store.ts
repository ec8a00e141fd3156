/** A store that answers by promises, in which the test holds single calls back: on their way in, or on the way of their answer. */
import type { Store } from '../../src/store/port.ts';

/** One kind of call that is held back. */
export interface Held {
  /** Resolves when a call is held back. Call it once for each that is waited for. */
  arrived(): Promise<void>;
  /** Lets the oldest go that is held back, or the newest. */
  one(which?: 'oldest' | 'newest'): void;
  /** Lets all go, and holds back no more. */
  release(): void;
}

class Gate implements Held {
  #open = false;
  readonly #waiting: (() => void)[] = [];
  readonly #arrivals: (() => void)[] = [];
  #unseen = 0;

  pass(): Promise<void> {
    if (this.#open) {
      return Promise.resolve();
    }
    const seen = this.#arrivals.shift();
    if (seen === undefined) {
      this.#unseen += 1;
    } else {
      seen();
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  arrived(): Promise<void> {
    if (this.#unseen > 0) {
      this.#unseen -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#arrivals.push(resolve);
    });
  }

  one(which: 'oldest' | 'newest' = 'oldest'): void {
    const go = which === 'oldest' ? this.#waiting.shift() : this.#waiting.pop();
    go?.();
  }

  release(): void {
    this.#open = true;
    for (const go of this.#waiting.splice(0)) {
      go();
    }
  }
}

export interface HeldStore {
  readonly store: Store;
  /** `way`: it is not carried out yet. `answer`: it is, and whoever called does not know it yet. */
  hold(method: keyof Store, where: 'way' | 'answer'): Held;
}

export function heldStore(inner: Store): HeldStore {
  const gates = new Map<string, Gate>();
  const pass = async (method: string | symbol, where: string): Promise<void> =>
    gates.get(`${String(method)} ${where}`)?.pass();
  const call = async (method: string | symbol, work: () => unknown): Promise<unknown> => {
    await pass(method, 'way');
    try {
      return await work();
    } finally {
      await pass(method, 'answer');
    }
  };
  const store = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function'
        ? (...given: unknown[]) => call(name, (): unknown => Reflect.apply(value, target, given))
        : value;
    },
  });
  return {
    store,
    hold(method, where) {
      const gate = new Gate();
      gates.set(`${method} ${where}`, gate);
      return gate;
    },
  };
}

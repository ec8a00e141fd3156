/** Time as this layer needs it. It is passed in, so that a ladder can be walked under virtual time. */
export interface Timers {
  /** Calls `fn` once after `ms` milliseconds, unless the returned function is called before. */
  set(ms: number, fn: () => void): () => void;
}

export const realTimers: Timers = {
  set(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Resolves after `ms` of the given timers. */
export function pause(timers: Timers, ms: number): Promise<void> {
  return new Promise((resolve) => {
    timers.set(ms, resolve);
  });
}

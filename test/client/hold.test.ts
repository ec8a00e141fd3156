/** The hold of a client before a daemon that does not answer as it should, on a clock that the test moves. */
import { describe, expect, test } from 'vitest';
import { holdTask, type HoldOptions } from '../../src/client/hold.ts';
import { Http } from '../../src/client/http.ts';

const receipt = {
  state: 'granted',
  task: 't',
  session: 's',
  leaseMs: 900,
  epoch: 1,
  prompt: 'p',
  input: null,
  attempt: 1,
  interruptedMidTurn: false,
  call: null,
};

interface Asked {
  readonly path: string;
  readonly at: number;
}

/** A daemon that grants the hold; `hangs` says which of the later requests are never answered. */
class Daemon {
  readonly asked: Asked[] = [];
  readonly #timers = new Set<{ readonly at: number; readonly fire: () => void }>();
  readonly #hangs: (path: string) => boolean;
  #now = 0;
  #heard = Promise.withResolvers<void>();

  constructor(hangs: (path: string) => boolean) {
    this.#hangs = hangs;
  }

  hold(options: HoldOptions = {}) {
    const answer = (body: object) =>
      new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } });
    const fetch = (async (url: string, init: { readonly signal: AbortSignal }) => {
      const path = url.slice(url.lastIndexOf('/'));
      this.asked.push({ path, at: this.#now });
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
      if (path === '/hold') {
        return answer(receipt);
      }
      if (!this.#hangs(path)) {
        return answer({ ok: true });
      }
      return new Promise<Response>((_, reject) => {
        init.signal.addEventListener('abort', () => reject(init.signal.reason as Error));
      });
    }) as unknown as typeof globalThis.fetch;
    const timer = (ms: number, fire: () => void) => {
      const one = { at: this.#now + ms, fire };
      this.#timers.add(one);
      return () => void this.#timers.delete(one);
    };
    return holdTask(new Http({ baseUrl: 'http://daemon', fetch, timer }), 't', options);
  }

  pathsAt(path: string): readonly number[] {
    return this.asked.filter((one) => one.path === path).map(({ at }) => at);
  }

  /** Moves the clock by `ms`; resolves with the next request that is sent behind that. */
  async passes(ms: number): Promise<void> {
    const heard = this.#heard.promise;
    this.#now += ms;
    for (const one of [...this.#timers].filter(({ at }) => at <= this.#now)) {
      this.#timers.delete(one);
      one.fire();
    }
    await heard;
  }
}

describe('a hold', () => {
  test('sends the next sign of life before its lease lapses, though one hangs', async () => {
    const daemon = new Daemon((path) => path === '/heartbeat');
    await using hold = await daemon.hold();
    await daemon.passes(300);
    await daemon.passes(300);
    expect(daemon.pathsAt('/heartbeat')).toEqual([300, 600]);
    expect(hold.signal.aborted).toBe(false);
  });

  test('that is disposed after the signal of its caller ends its task as abandoned', async () => {
    const daemon = new Daemon(() => false);
    const stop = new AbortController();
    {
      await using hold = await daemon.hold({ signal: stop.signal });
      stop.abort();
      expect(hold.signal.aborted).toBe(true);
    }
    expect(daemon.pathsAt('/finish')).toEqual([0]);
  });

  test('that is disposed gives up with the end of its lease, if its daemon does not answer', async () => {
    const daemon = new Daemon(() => true);
    const hold = await daemon.hold();
    const disposed = hold[Symbol.asyncDispose]();
    void daemon.passes(900);
    await disposed;
    expect(daemon.pathsAt('/finish')).toEqual([0]);
  });
});

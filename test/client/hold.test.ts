/** The hold of a client before a daemon that does not answer as it should, on a clock that the test moves. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { describe, expect, test } from 'vitest';
import { holdTask, type HoldOptions } from '../../src/client/hold.ts';
import { Http } from '../../src/client/http.ts';
import { ManualClock } from '../support/manual-clock.ts';

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

/** A door that grants the hold; `hangs` says which of the later requests are never answered. Time passes when the test says so. */
class Daemon implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly #clock = new ManualClock();
  readonly #server: Server;
  #heard = Promise.withResolvers<void>();

  private constructor(hangs: (path: string) => boolean) {
    this.#server = createServer((request, response) => {
      const path = (request.url ?? '').slice((request.url ?? '').lastIndexOf('/'));
      request.resume();
      this.asked.push({ path, at: this.#clock.now() });
      if (path === '/hold' || !hangs(path)) {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(path === '/hold' ? receipt : { ok: true }));
      }
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
    });
  }

  static async open(hangs: (path: string) => boolean): Promise<Daemon> {
    const daemon = new Daemon(hangs);
    daemon.#server.listen(0, '127.0.0.1');
    await once(daemon.#server, 'listening');
    return daemon;
  }

  hold(options: HoldOptions = {}) {
    const address = this.#server.address();
    const port = typeof address === 'object' ? address?.port : null;
    const timer = (ms: number, fire: () => void) => this.#clock.timer(ms, fire);
    return holdTask(new Http({ baseUrl: `http://127.0.0.1:${port}`, timer }), 't', options);
  }

  pathsAt(path: string): readonly number[] {
    return this.asked.filter((one) => one.path === path).map(({ at }) => at);
  }

  /** Moves the clock by `ms`; resolves with the next request that arrives behind that. */
  async passes(ms: number): Promise<void> {
    const heard = this.#heard.promise;
    this.#clock.advance(ms);
    await heard;
  }

  /** Moves the clock behind the next request. */
  async passesAfterNext(ms: number): Promise<void> {
    await this.#heard.promise;
    this.#clock.advance(ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

describe('a hold', () => {
  test('sends the next sign of life before its lease lapses, though one hangs', async () => {
    await using daemon = await Daemon.open((path) => path === '/heartbeat');
    await using hold = await daemon.hold();
    await daemon.passes(300);
    await daemon.passes(300);
    expect(daemon.pathsAt('/heartbeat')).toEqual([300, 600]);
    expect(hold.signal.aborted).toBe(false);
  });

  test('that is disposed after the signal of its caller ends its task as abandoned', async () => {
    await using daemon = await Daemon.open(() => false);
    const stop = new AbortController();
    {
      await using hold = await daemon.hold({ signal: stop.signal });
      stop.abort();
      expect(hold.signal.aborted).toBe(true);
    }
    expect(daemon.pathsAt('/finish')).toEqual([0]);
  });

  test('that is disposed gives up with the end of its lease, if its daemon does not answer', async () => {
    await using daemon = await Daemon.open(() => true);
    const hold = await daemon.hold();
    const disposed = hold[Symbol.asyncDispose]();
    await daemon.passesAfterNext(900);
    await disposed;
    expect(daemon.pathsAt('/finish')).toEqual([0]);
  });
});

/** Readers whose connections break, of a daemon that restarts. */
import { expect, test } from 'vitest';
import type { ClientOptions, ReadFeedEvent, ReadEvent } from '../../src/client/index.ts';
import { createClient } from '../../src/client/index.ts';
import { expectSound } from '../support/box.ts';
import { openCuttingProxy } from '../support/cutting-proxy.ts';
import { hastyTimer, openDoor, token } from '../support/door.ts';
import { seeded } from '../support/random.ts';

test.each([1, 2])(
  'T05 a reader cut at random 100 times while the daemon restarts twice reads every event once, in order, up to final (seed %i)',
  async (seed) => {
    const random = seeded(seed);
    let door = await openDoor();
    try {
      let progress = Promise.withResolvers<void>();
      const moved = (): void => {
        progress.resolve();
        progress = Promise.withResolvers<void>();
      };
      await using proxy = await openCuttingProxy(door.port, 2500, random, moved);
      await using feedProxy = await openCuttingProxy(door.port, 5000, random, moved);
      const through = ({ port }: { readonly port: number }): ClientOptions => ({
        baseUrl: `http://127.0.0.1:${port}`,
        token,
        random,
        timer: hastyTimer,
      });
      const { task } = await door.client.submit({
        session: 'test:one',
        prompt: 'go on',
        lane: 'background',
        maxAttempts: 10,
      });

      const read: ReadEvent[] = [];
      let breaks = 0;
      const reading = (async () => {
        for await (const event of createClient(through(proxy)).follow(task, { onBreak: () => void breaks++ })) {
          read.push(event);
          moved();
        }
      })();
      const fed: ReadFeedEvent[] = [];
      const feeding = (async () => {
        for await (const event of createClient(through(feedProxy)).followSession('test:one')) {
          fed.push(event);
          moved();
          if (event.type === 'final') {
            return;
          }
        }
      })();

      let turn = await door.box.stage.turn();
      let restarts = 0;
      let said = 0;
      while (proxy.cuts < 100) {
        if (proxy.cuts > 33 * (restarts + 1) && restarts < 2) {
          restarts++;
          door = await door.restart();
          turn = await door.box.stage.turn();
        }
        turn.say(`${said} ${'x'.repeat(Math.floor(random() * 200))}`);
        // Never far ahead of the readers, so that they meet events live, from the store, and in between.
        if (++said % 8 === 0) {
          await progress.promise;
        }
      }
      proxy.spare();
      feedProxy.spare();
      turn.finish('done');
      await reading;
      await feeding;

      const stored = await door.box.ended(task);
      const tape = await door.box.box.tape(stored.session, task, 0, 100_000);
      expectSound(stored, tape);
      expect(read.map(({ seq, type, data }) => ({ seq, type, data }))).toEqual(
        tape.map(({ seq, type, data }) => ({ seq, type, data })),
      );
      const feed = await door.box.box.feed('test:one', null, 100_000);
      expect(fed.map(({ position }) => position)).toEqual(feed.slice(0, fed.length).map(({ position }) => position));
      expect(fed.at(-1)?.type).toBe('final');
      expect(restarts).toBe(2);
      expect(breaks).toBeGreaterThan(20);
    } finally {
      await door[Symbol.asyncDispose]();
    }
  },
  120_000,
);

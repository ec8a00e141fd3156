/** What every door keeps, over real HTTP to a fake platform with faults. A new door gives its platform; see `platform.ts`. */
import { describe, expect, test } from 'vitest';
import type { Platform } from './platform.ts';
import { killedAtEachPoint } from './kill.ts';
import { openWorld, type World } from './world.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export function doorContract(name: string, open: () => Promise<Platform>): void {
  const check = (title: string, body: (platform: Platform, world: World) => Promise<void>): void =>
    // oxlint-disable-next-line vitest/valid-title -- each caller gives one
    test(title, async () => {
      await using platform = await open();
      await using world = await openWorld(platform.doors);
      await body(platform, world);
      expect(world.errors).toEqual([]);
    });

  describe(`the door ${name}`, () => {
    check('sends each answer once', async (platform, world) => {
      const tasks = await world.tasks(3);
      await world.quiet();
      expect(platform.posts.toSorted(byText)).toEqual(tasks.map((task, at) => ({ task, text: `answer ${at + 1}` })));
      expect(await world.states()).toEqual(['posted', 'posted', 'posted']);
      expect(platform.requests).toBe(3);
    });

    check('G11 makes one message of one whose answer was lost', async (platform, world) => {
      platform.fault = (request) => (request === 1 ? { kind: 'lost' } : null);
      await world.tasks(1);
      await world.pass(5 * minuteMs);
      expect(platform.posts).toHaveLength(1);
      expect(await world.states()).toEqual(['posted']);
    });

    check('G11 makes one message of one that had its effect after the time of its request', async (platform, world) => {
      platform.fault = (request) => (request === 1 ? { kind: 'late' } : null);
      await world.tasks(1);
      const sent = world.box.box.store.outbox;
      while ((await sent.figures()).rows.sending === 0 || platform.requests === 0) {
        await world.box.quiet();
      }
      world.clock.step(world.clock.now() + minuteMs);
      await world.pass(5 * minuteMs);
      expect(platform.posts).toHaveLength(1);
      expect(await world.states()).toEqual(['posted']);
    });

    check('G11 makes one message of a 5xx after its effect', async (platform, world) => {
      platform.fault = (request) => (request === 1 ? { kind: 'answer', status: 500, effect: true } : null);
      await world.tasks(1);
      await world.pass(5 * minuteMs);
      expect(platform.posts).toHaveLength(1);
      expect(await world.states()).toEqual(['posted']);
    });

    check('sends nothing to the platform for as long as that says', async (platform, world) => {
      const headers = { 'retry-after': '120' };
      platform.fault = (request) => (request === 1 ? { kind: 'answer', status: 429, effect: false, headers } : null);
      await world.tasks(1);
      await world.quiet();
      await world.tasks(2);
      await world.pass(119_000);
      expect([platform.requests, platform.posts.length]).toEqual([1, 0]);
      await world.pass(minuteMs);
      expect(await world.states()).toEqual(['posted', 'posted', 'posted']);
    });

    check('sends later and later where the platform does not say when', async (platform, world) => {
      platform.fault = () => ({ kind: 'answer', status: 429, effect: false });
      await world.tasks(1);
      await world.pass(hourMs);
      expect(platform.requests).toBeGreaterThan(8);
      expect(platform.requests).toBeLessThan(20);
      platform.fault = () => null;
      await world.pass(hourMs);
      expect(platform.posts).toHaveLength(1);
    });

    test('G01 sends one message, whatever number of senders reads the same events', async () => {
      await using platform = await open();
      await using world = await openWorld(platform.doors, { senders: 3 });
      await world.tasks(5);
      await world.pass(minuteMs);
      expect([platform.requests, platform.posts.length]).toEqual([5, 5]);
      expect(world.errors).toEqual([]);
    });

    check('carries an answer of 100 KB whole', async (platform, world) => {
      const text = 'ä€😀x'.repeat(16_000);
      await world.tasks(1, () => text);
      await world.pass(minuteMs);
      expect(platform.posts.map((post) => post.text).join('')).toBe(text);
    });

    check(
      'outlives an hour without the platform, with few requests, and sends all of it then',
      async (platform, world) => {
        await platform.down();
        const tasks = await world.tasks(12);
        await world.pass(hourMs);
        expect(await world.states()).toEqual(tasks.map(() => 'due'));
        expect((await world.rows()).reduce((sum, { attempts }) => sum + attempts, 0)).toBeLessThan(200);
        await platform.up();
        await world.pass(hourMs);
        expect(platform.posts.map(({ task }) => task).toSorted()).toEqual([...tasks].toSorted());
        expect(await world.states()).toEqual(tasks.map(() => 'posted'));
      },
    );

    check('keeps what a platform does not take because of the secret, and says so', async (platform, world) => {
      platform.revoke();
      await world.tasks(2);
      await world.pass(minuteMs);
      const rows = await world.rows();
      expect(rows.map(({ state }) => state)).toEqual(['due', 'due']);
      expect(rows[0]?.problem).toContain('401');
      platform.restore();
      await world.pass(hourMs);
      expect(platform.posts).toHaveLength(2);
    });

    check(
      'ends at once what the platform will never take, and sends it again only when a person says so',
      async (platform, world) => {
        platform.fault = (request) => (request === 1 ? { kind: 'answer', status: 400, effect: false } : null);
        await world.tasks(1);
        await world.pass(hourMs);
        expect([platform.requests, await world.states()]).toEqual([1, ['failed']]);
        const [row] = await world.rows();
        await world.box.box.store.outbox.resend(row?.id ?? '', world.clock.wall());
        world.wake();
        await world.pass(minuteMs);
        expect([platform.posts.length, await world.states()]).toEqual([1, ['posted']]);
      },
    );

    test('sends nothing that has become too old', async () => {
      await using platform = await open();
      await using world = await openWorld(platform.doors, { limits: { maxAgeMs: hourMs } });
      await platform.down();
      await world.tasks(1);
      await world.pass(2 * hourMs);
      await platform.up();
      await world.pass(2 * hourMs);
      expect([platform.requests, await world.states()]).toEqual([0, ['expired']]);
    });

    killedAtEachPoint(open);
  });
}

const byText = (a: { readonly text: string }, b: { readonly text: string }): number => (a.text < b.text ? -1 : 1);

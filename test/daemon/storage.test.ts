/** A real daemon whose database is taken away, or whose disk refuses. */
import { spawnSync } from 'node:child_process';
import { renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Caller } from '../support/caller.ts';
import { Cli } from '../support/cli.ts';

const outage = /"code":"(store_\w+)"/g;

describe('W05 a daemon', () => {
  test.each<[string, (file: string) => void]>([
    ['deleted', (file) => rmSync(file)],
    ['truncated', (file) => truncateSync(file, 4096)],
    // In place: a file that is cut first may be seen so, which is another reason.
    ['overwritten', (file) => writeFileSync(file, Buffer.alloc(statSync(file).size, 'x'), { flag: 'r+' })],
    ['moved with its folder', (file) => renameSync(join(file, '..'), `${join(file, '..')}-moved`)],
  ])('whose database is %s accepts nothing more, is not ready, and says so once', async (_, spoil) => {
    await using cli = new Cli();
    const up = await cli.up();
    const caller = new Caller(up, cli.data);
    expect((await caller.submit('kept')).status).toBe(201);
    spoil(join(cli.data, 'signalbox.db'));
    for (const session of ['refused', 'kept', 'other']) {
      const { status, code, text } = await caller.submit(session);
      expect([status, code]).toEqual([503, 'store_replaced']);
      expect(text).not.toContain('accepted before');
    }
    expect((await caller.untilReadyIs(503)).code).toBe('store_replaced');
    up.child.kill('SIGKILL');
    const { stderr } = await up.ended;
    expect(stderr.match(outage)).toHaveLength(1);
  });

  test('that gets no request notices by itself, and a folder that comes back has what was accepted and nothing that was refused', async () => {
    await using cli = new Cli();
    const up = await cli.up();
    const caller = new Caller(up, cli.data);
    expect((await caller.submit('kept')).status).toBe(201);
    renameSync(cli.data, `${cli.data}-moved`);
    await caller.untilReadyIs(503);
    expect((await caller.submit('refused')).status).toBe(503);
    renameSync(`${cli.data}-moved`, cli.data);
    await caller.untilReadyIs(200);
    expect((await caller.submit('after')).status).toBe(201);
    const sessions = (await caller.ask('/v1/sessions')).text;
    expect(['kept', 'refused', 'after'].map((name) => sessions.includes(`"${name}"`))).toEqual([true, false, true]);
    up.child.kill('SIGTERM');
    const { code, stderr } = await up.ended;
    expect([code, stderr.match(outage)?.length]).toEqual([0, 1]);
  });

  test('whose folder is moved while many submit keeps all that it accepted, and nothing that it refused', async () => {
    await using cli = new Cli();
    const up = await cli.up();
    const caller = new Caller(up, cli.data);
    const answers = new Map<string, number>();
    const counts = { 201: 0, 503: 0 };
    const submitUntil = async (name: string, done: () => boolean): Promise<void> => {
      for (let n = 0; !done(); n += 1) {
        const session = `${name}-${n}`;
        const { status, code } = await caller.submit(session);
        answers.set(session, status);
        expect([201, 503]).toContain(status);
        expect(code).toBe(status === 201 ? undefined : 'store_replaced');
        counts[status === 201 ? 201 : 503] += 1;
      }
    };
    const load = Array.from({ length: 8 }, (_, index) => submitUntil(`load${index}`, () => counts[503] >= 40));
    await submitUntil('first', () => counts[201] >= 40);
    renameSync(cli.data, `${cli.data}-moved`);
    // What begins now is refused, whatever is under way.
    expect((await caller.submit('late')).status).toBe(503);
    expect((await caller.ask('/readyz')).status).toBe(503);
    await Promise.all(load);
    renameSync(`${cli.data}-moved`, cli.data);
    await caller.untilReadyIs(200);
    for (const [session, status] of [...answers, ['late', 503] as const]) {
      expect([session, (await caller.ask(`/v1/sessions/${session}`)).status]).toEqual([
        session,
        status === 201 ? 200 : 404,
      ]);
    }
  });

  const mayLimit = spawnSync('prlimit', ['--version']).status === 0;
  test.skipIf(!mayLimit)(
    'is not ready while the disk refuses, logs it once with its count, and recovers (skipped without prlimit)',
    async () => {
      await using cli = new Cli();
      const up = await cli.up(['--log-level', 'warn']);
      const caller = new Caller(up, cli.data);
      expect((await caller.submit('kept')).status).toBe(201);
      const limit = (bytes: number | 'unlimited'): void => {
        spawnSync('prlimit', ['--pid', String(up.ready.daemon), `--fsize=${bytes}:unlimited`]);
      };
      limit(1);
      for (let n = 0; n < 5; n += 1) {
        const { status, code } = await caller.submit(`refused-${n}`);
        expect([status, code]).toEqual([503, 'store_failed']);
      }
      expect((await caller.untilReadyIs(503)).code).toBe('store_failed');
      limit('unlimited');
      await caller.untilReadyIs(200);
      expect((await caller.submit('after')).status).toBe(201);
      up.child.kill('SIGTERM');
      const { code, stderr } = await up.ended;
      expect([code, stderr.match(outage)?.length]).toEqual([0, 1]);
      expect(Number(/"failures":(\d+)/.exec(stderr)?.[1])).toBeGreaterThanOrEqual(5);
    },
  );
});

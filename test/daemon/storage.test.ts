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
    ['overwritten', (file) => writeFileSync(file, Buffer.alloc(statSync(file).size, 'x'))],
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

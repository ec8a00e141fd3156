/** `signalbox export` and `signalbox import`, as programs: beside a daemon at work, to Postgres and back, cut off, and refused. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Caller } from '../support/caller.ts';
import { Cli } from '../support/cli.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres(['autovacuum=off', 'fsync=off']);
});
afterAll(() => server.stop());

const linesIn = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);
const idOf = ({ text }: { readonly text: string }): string => (JSON.parse(text) as { readonly task: string }).task;

describe('an export', () => {
  test('beside a daemon under load moves to Postgres and back; equal lines, and open tasks run there', async () => {
    await using cli = new Cli();
    const up = await cli.up();
    const caller = new Caller(up, cli.data);
    const first = await caller.submit('s0');
    let busy = true;
    const load = (async (): Promise<void> => {
      for (let n = 1; busy; n += 1) {
        await caller.submit(`s${n % 7}`);
      }
    })();
    const [during, whole, back] = ['during', 'whole', 'back'].map((name) => join(cli.folder, name));
    const beside = await cli.run(['export', during ?? '']);
    expect(beside).toMatchObject({ code: 0, stdout: '' });
    expect(beside.stderr).toMatch(/\d+ tasks, \d+ events, \d+ sessions, 0 tokens, 0 replies of .*SHA-256 [0-9a-f]{64}/);
    expect(statSync(during ?? '').mode & 0o777).toBe(0o600);
    busy = false;
    await load;
    const long = idOf(
      await caller.ask('/v1/tasks', { session: 'long', prompt: '[[work:4000,20]] x', lane: 'background' }),
    );
    const behind = idOf(await caller.submit('long'));
    await caller.untilTaskIs(long, 'running');
    up.child.kill('SIGTERM');
    expect((await up.ended).code).toBe(0);
    await cli.json(['export', whole ?? '']);
    // What was accepted before the export began is in it, and what is in it is a state that was.
    const sound = await cli.json(['import', during ?? '', '--data', join(cli.folder, 'copy')]);
    expect(sound['tasks']).toBeGreaterThan(0);
    expect(readFileSync(during ?? '', 'utf8')).toContain(idOf(first));
    const store = ['--store', server.url];
    await cli.json(['import', whole ?? '', ...store]);
    await cli.json(['export', back ?? '', ...store]);
    expect(linesIn(back ?? '').slice(1)).toEqual(linesIn(whole ?? '').slice(1));
    const there = new Caller(await cli.up(store), cli.data);
    expect((await there.ask(`/v1/tasks/${long}/cancel`, {})).status).toBeLessThan(300);
    await there.untilTaskIs(behind, 'completed');
  });

  test('replaces no file without --force, and leaves none where it fails', async () => {
    await using cli = new Cli();
    const up = await cli.up();
    up.child.kill('SIGTERM');
    await up.ended;
    const file = join(cli.folder, 'mine');
    writeFileSync(file, 'mine');
    const refused = await cli.run(['export', file]);
    expect([refused.code, readFileSync(file, 'utf8')]).toEqual([2, 'mine']);
    expect(refused.stderr).toContain('--force');
    expect((await cli.run(['export', file, '--force'])).code).toBe(0);
    expect(linesIn(file).length).toBe(2);
    const nowhere = await cli.run(['export', join(cli.folder, 'no', 'such')]);
    expect([nowhere.code, nowhere.stderr.includes('ENOENT')]).toEqual([2, true]);
    const none = await cli.run(['export', join(cli.folder, 'new'), '--data', join(cli.folder, 'empty')]);
    expect([none.code, none.stderr.includes('there is no database')]).toEqual([7, true]);
  });
});

describe('an import', () => {
  test('is refused for what is not a whole export, and where there is a database', async () => {
    await using cli = new Cli();
    const up = await cli.up();
    const caller = new Caller(up, cli.data);
    await caller.untilTaskIs(idOf(await caller.submit('one')), 'completed');
    const printed = await cli.run(['export', '-']);
    const target = ['--data', join(cli.folder, 'target')];
    const cutOff = await cli.run(['import', '-', ...target], { input: printed.stdout.slice(0, 600) });
    expect([cutOff.code, cutOff.stderr.includes('cut off')]).toEqual([2, true]);
    const other = await cli.run(['import', '-', ...target], { input: 'hello\n' });
    expect([other.code, other.stderr.includes('not JSON')]).toEqual([2, true]);
    const missing = await cli.run(['import', join(cli.folder, 'missing'), ...target]);
    expect([missing.code, missing.stderr.includes('ENOENT')]).toEqual([2, true]);
    const here = await cli.run(['import', '-'], { input: printed.stdout });
    expect([here.code, here.stderr.includes('another data folder')]).toEqual([7, true]);
    const right = await cli.run(['import', '-', ...target], { input: printed.stdout });
    expect([right.code, right.stderr]).toEqual([0, expect.stringContaining('verified')]);
  });
});

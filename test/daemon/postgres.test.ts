/** A real daemon on a real Postgres server: what it says of one that it cannot use, and what it does when it loses one. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resolveConfig } from '../../src/daemon/config/resolve.ts';
import { secretsOf } from '../../src/daemon/secrets.ts';
import { startDaemon } from '../../src/daemon/daemon.ts';
import { Caller } from '../support/caller.ts';
import { selfSigned } from '../support/certificate.ts';
import { Cli } from '../support/cli.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { giveTo } from '../support/server-program.ts';

const password = 'pass/word@1';
const written = encodeURIComponent(password);
/** A port on which nothing listens. */
const nobodysPort = 1;

let server: PostgresServer;
let folder: string;

/** As the user who owns the server. */
async function run(statement: string, database = 'postgres'): Promise<void> {
  const client = new pg.Client({ connectionString: server.urlOf(database) });
  await client.connect();
  await client.query(statement);
  await client.end();
}

async function useTls(on: boolean): Promise<void> {
  await run(`ALTER SYSTEM SET ssl = ${on ? 'on' : 'off'}`);
  await run('SELECT pg_reload_conf()');
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-pg-'));
  server = await startPostgres(['autovacuum=off', 'fsync=off']);
  const { certificate, key } = selfSigned();
  for (const [name, content] of [
    ['server.crt', certificate],
    ['server.key', key],
  ] as const) {
    const path = join(server.data, name);
    writeFileSync(path, content, { mode: 0o600 });
    giveTo(path);
  }
  await run(`CREATE ROLE box LOGIN PASSWORD '${password}'`);
  await run('CREATE DATABASE box OWNER box');
  await run('CREATE DATABASE foreign_one');
  await run('CREATE DATABASE newer OWNER box');
  await run('CREATE SCHEMA signalbox AUTHORIZATION box', 'newer');
  await run('CREATE TABLE signalbox.migrations (number integer PRIMARY KEY)', 'newer');
  await run('INSERT INTO signalbox.migrations SELECT generate_series(1, 900)', 'newer');
  await run('GRANT ALL ON ALL TABLES IN SCHEMA signalbox TO box', 'newer');
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const urlOf = (database: string, user = `box:${written}`): string => server.urlOf(database, user);

/** What a daemon says that cannot start on this store. */
async function refusal(store: string, environment: { readonly [name: string]: string } = {}) {
  const flags = [
    { path: ['store'], value: store, written: '--store' },
    { path: ['listen', 'port'], value: 0, written: '--port' },
    { path: ['logLevel'], value: 'silent', written: '--log-level' },
  ];
  const start = async (): Promise<unknown> => {
    const config = await resolveConfig({ file: null, environment, flags });
    return startDaemon({ folder, config, version: '0.0.0-test', now: Date.now });
  };
  return start().then(
    () => null,
    (error: { readonly code: string; readonly message: string; readonly hint: string }) => error,
  );
}

describe('a start of the daemon', () => {
  test.each<[string, string, RegExp, RegExp, () => string]>([
    [
      'no server listens',
      'store_unreachable',
      /ECONNREFUSED/,
      /host, the port/,
      () => urlOf('box').replace(/:\d+\//, `:${nobodysPort}/`),
    ],
    [
      'no host has the name',
      'store_unreachable',
      /ENOTFOUND|EAI_AGAIN/,
      /host, the port/,
      () => 'postgres://box@db.invalid/box',
    ],
    [
      'the password is wrong',
      'store_refused',
      /password authentication failed for user "box"/,
      /password of the URL/,
      () => urlOf('box', 'box:wrong-word'),
    ],
    ['the password is missing', 'store_refused', /password/, /PGPASSWORD/, () => urlOf('box', 'box')],
    ['the user is unknown', 'store_refused', /"other"/, /the user/, () => urlOf('box', 'other:wrong-word')],
    ['the database is missing', 'store_refused', /"absent" does not exist/, /CREATE DATABASE/, () => urlOf('absent')],
    [
      'the user may make no schema',
      'store_refused',
      /permission denied for database/,
      /GRANT CREATE/,
      () => urlOf('foreign_one'),
    ],
    ['a newer Signalbox made the schema', 'store_newer', /900 migrations/, /Update/, () => urlOf('newer')],
    [
      'the server has no TLS',
      'store_refused',
      /does not support SSL/,
      /sslmode/,
      () => `${urlOf('box')}?sslmode=require`,
    ],
    [
      'the URL has no port where one belongs',
      'bad_config',
      /store is not the URL/,
      /USER@HOST/,
      () => `postgres://box:${written}@h:99x/box`,
    ],
    [
      'the store is of another kind',
      'bad_config',
      /--store: store must match/,
      /docs/,
      () => `mysql://box:${written}@h/box`,
    ],
  ])('says what to do where %s', async (_, code, message, hint, store) => {
    const error = await refusal(store());
    expect(error).toMatchObject({ code });
    expect(error?.message).toMatch(message);
    expect(error?.hint).toMatch(hint);
    expect(JSON.stringify([error?.message, error?.hint])).not.toMatch(/pass.{1,3}word.{1,3}1|wrong-word/);
  });

  test('says which certificate it does not trust, and trusts one that the URL names', async () => {
    await useTls(true);
    const error = await refusal(`${urlOf('box')}?sslmode=require`);
    expect(error).toMatchObject({ code: 'store_refused' });
    expect(error?.message).toMatch(/self.signed certificate/);
    expect(error?.hint).toMatch(/sslrootcert=FILE/);
    const named = `${urlOf('absent')}?sslmode=require&sslrootcert=${join(server.data, 'server.crt')}`;
    expect((await refusal(named))?.message).toMatch(/"absent" does not exist/);
    await useTls(false);
  });

  test('says what is missing where `postgres` names no database, and which variable is wrong', async () => {
    expect((await refusal('postgres'))?.message).toMatch(/neither DATABASE_URL nor PGHOST nor PGDATABASE/);
    const error = await refusal('postgres', { DATABASE_URL: `mysql://box:${written}@h/box` });
    expect(error).toMatchObject({ code: 'bad_config', message: 'DATABASE_URL is not the URL of a Postgres database' });
  });

  test('refuses an address for hints that is none, and takes its password for a secret', async () => {
    const flagsOf = (value: string) => [{ path: ['node', 'listenUrl'], value, written: '--listen-url' }];
    const resolved = (url: string) => resolveConfig({ file: null, environment: {}, flags: flagsOf(url) });
    await expect(resolved('mysql://box@h/box')).rejects.toMatchObject({
      code: 'bad_config',
      message: 'node.listenUrl is not the URL of a Postgres database',
    });
    expect(secretsOf(await resolved('postgres://box:only-for-hints@h/box'), 'token', {})).toContain('only-for-hints');
  });

  test('ends at once when it is asked to while the server does not answer', async () => {
    const ending = new AbortController();
    const flags = [{ path: ['store'], value: urlOf('box'), written: '--store' }];
    const config = await resolveConfig({ file: null, environment: {}, flags });
    const starting = startDaemon({ folder, config, version: '0', now: Date.now, ending: ending.signal });
    ending.abort();
    await expect(starting).rejects.toMatchObject({ code: 'closing' });
  });
});

const taskOf = ({ text }: { readonly text: string }): string => (JSON.parse(text) as { readonly task: string }).task;

describe('a daemon on Postgres', () => {
  test('takes DATABASE_URL where the store is `postgres`, and shows its password nowhere', async () => {
    await using cli = new Cli();
    const up = await cli.up(['--store', 'postgres', '--log-level', 'debug'], { env: { DATABASE_URL: urlOf('box') } });
    expect(up.ready).toMatchObject({ store: `postgres://box@127.0.0.1:${server.port}/box` });
    const caller = new Caller(up, cli.data);
    expect((await caller.submit('one')).status).toBe(201);
    const ready = await caller.ask('/readyz');
    expect(JSON.parse(ready.text)).toMatchObject({ status: 'ready', store: { durable: false } });
    const metrics = (await caller.ask('/metrics')).text;
    expect(metrics).toMatch(/^signalbox_store_up 1$/m);
    expect(metrics).toMatch(/^signalbox_store_feed_lag_seconds /m);
    up.child.kill('SIGTERM');
    const { code, stdout, stderr } = await up.ended;
    expect(code).toBe(0);
    for (const text of [stdout, stderr, ready.text, metrics]) {
      expect(text.includes(password) || text.includes(written)).toBe(false);
    }
  });

  test('leaves DATABASE_URL alone where nothing names the store', async () => {
    await using cli = new Cli();
    const up = await cli.up([], { env: { DATABASE_URL: urlOf('box') } });
    expect(up.ready).toMatchObject({ store: join(cli.data, 'signalbox.db') });
  });

  test('is not ready while the server is away, accepts nothing, and continues without a restart', async () => {
    await run('CREATE DATABASE outage OWNER box');
    await using cli = new Cli();
    const up = await cli.up(['--store', urlOf('outage'), '--log-level', 'warn']);
    const caller = new Caller(up, cli.data);
    const kept = await caller.submit('kept');
    expect(kept.status).toBe(201);
    await server.crash();
    const away = await caller.untilReadyIs(503);
    expect(away.code).toBe('store_unreachable');
    const refused = await caller.submit('refused');
    expect([refused.status, refused.code]).toEqual([503, 'store_unreachable']);
    expect((await caller.ask('/metrics')).text).toMatch(/^signalbox_store_up 0$/m);
    const doctor = await cli.run(['doctor', '--json'], { env: { SIGNALBOX_STORE: urlOf('outage') } });
    const { checks } = JSON.parse(doctor.stdout) as { readonly checks: readonly { name: string; state: string }[] };
    const lacking = checks.filter(({ state }) => state === 'missing').map(({ name }) => name);
    expect(lacking).toEqual(expect.arrayContaining(['store', 'daemon']));
    expect(doctor.stdout).not.toContain(written);
    await server.restart();
    await caller.untilReadyIs(200);
    expect((await caller.submit('after')).status).toBe(201);
    await caller.untilTaskIs(taskOf(kept), 'completed');
    const sessions = (await caller.ask('/v1/sessions')).text;
    expect(['kept', 'refused', 'after'].map((name) => sessions.includes(`"${name}"`))).toEqual([true, false, true]);
    up.child.kill('SIGTERM');
    const { code, stderr } = await up.ended;
    expect(code).toBe(0);
    const said = [...stderr.matchAll(/"reason":"([^"]*)"/g)].map(([, reason]) => reason);
    expect(said.length).toBeGreaterThan(0);
    expect(new Set(said).size).toBe(said.length);
    expect(stderr).toContain('the database can be written again');
    expect(stderr).not.toContain(written);
  });

  test('has every task after SIGKILL: what ran, what waits behind it, and what was cancelled', async () => {
    await run('CREATE DATABASE killed OWNER box');
    await using cli = new Cli();
    const store = ['--store', urlOf('killed')];
    const up = await cli.up(store);
    const caller = new Caller(up, cli.data);
    const submit = async (lane: string, prompt: string): Promise<string> =>
      taskOf(await caller.ask('/v1/tasks', { session: 'one', prompt, lane }));
    const long = await submit('background', '[[work:400,20]] first');
    await caller.untilTaskIs(long, 'running');
    const cancelled = await submit('background', 'never');
    expect((await caller.ask(`/v1/tasks/${cancelled}/cancel`, {})).status).toBeLessThan(300);
    const behind = await submit('background', 'behind');
    const urgent = await submit('interactive', 'urgent');
    await caller.untilTaskIs(urgent, 'completed');
    process.kill(up.ready.daemon, 'SIGKILL');
    up.child.kill('SIGKILL');
    await up.ended;
    const again = new Caller(await cli.up(store), cli.data);
    expect((await again.ask(`/v1/tasks/${long}/cancel`, {})).status).toBeLessThan(300);
    await again.untilTaskIs(behind, 'completed');
    await again.untilTaskIs(long, 'cancelled');
    await again.untilTaskIs(cancelled, 'cancelled');
    await again.untilTaskIs(urgent, 'completed');
    const tape = (await again.ask(`/v1/tasks/${long}/events?limit=500`)).text;
    expect(tape).toContain('"preempted"');
  });
});

describe('`signalbox migrate`', () => {
  test('says what a database lacks, changes nothing in a dry run, and brings it up to date beside a running daemon', async () => {
    await run('CREATE DATABASE old OWNER box');
    await using cli = new Cli();
    const migrate = (...args: readonly string[]) => cli.json(['migrate', '--store', urlOf('old'), ...args]);
    const { to } = await migrate('--dry-run');
    expect(await migrate('--dry-run')).toMatchObject({ from: 0, dryRun: true });
    expect(await migrate()).toMatchObject({ from: 0, to, dryRun: false });
    await cli.up(['--store', urlOf('old')]);
    expect(await migrate()).toMatchObject({ from: to, to, store: `postgres://box@127.0.0.1:${server.port}/old` });
  });

  test('does the same for the file of the data folder', async () => {
    await using cli = new Cli();
    const { to } = await cli.json(['migrate', '--dry-run']);
    expect(existsSync(join(cli.data, 'signalbox.db'))).toBe(false);
    expect(await cli.json(['migrate'])).toMatchObject({ from: 0, to });
    expect(await cli.json(['migrate', '--dry-run'])).toMatchObject({ from: to, to });
  });
});

/**
 * Acceptance 7: a secret planted in the daemon's environment is found in no agent's environment, tape, log, report or metric.
 * A real daemon, and a real agent that looks for it wherever a process of the same user can look, and tells what it finds.
 */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dataFiles } from '../../src/protocol/folder.ts';
import { Cli, firstLine } from '../support/cli.ts';

const teller = fileURLToPath(new URL('fixtures/teller.mjs', import.meta.url));

/** Planted in the environment and in the configuration. Put together here, so that no scanner takes them for real ones. */
const planted = {
  SIGNALBOX_GITHUB_SECRET: 'planted/webhook+secret=1',
  DEPLOY_TOKEN: `ghp_${'Pl4nT'.repeat(8)}`,
  CI_JOB_TOKEN: 'planted-ci-token-"quoted"',
  DATABASE_URL: 'postgres://box:planted-password@db.example/box',
  SIGNING_KEY: `-----BEGIN PRIVATE KEY-----\n${'planted0'.repeat(30)}\n-----END PRIVATE KEY-----`,
} as const;
const inConfig = Buffer.from('planted-in-the-file-9').toString('base64');

let cli: Cli;
let daemon: ChildProcess;
let url = '';
let log = '';
let secrets: readonly string[];

beforeAll(async () => {
  cli = new Cli();
  const agent = { name: 'process', command: process.execPath, args: [teller, cli.data] };
  const hooks = { ci: { secret: `whsec_${inConfig}`, session: 'ci', prompt: '{event}', facts: { event: 'event' } } };
  const config = `export default ${JSON.stringify({ agent: { ...agent, env: { GIVEN: 'yes' } }, hooks })};\n`;
  writeFileSync(join(cli.folder, 'signalbox.config.ts'), config);
  const env = { ...planted };
  daemon = cli.spawn(['up', '--json', '--port', '0', '--log-level', 'debug'], { env });
  daemon.stderr?.on('data', (part: Buffer) => (log += part.toString()));
  ({ url } = JSON.parse(await firstLine(daemon)) as { readonly url: string });
  const token = readFileSync(join(cli.data, dataFiles.token), 'utf8').trim();
  secrets = [
    ...Object.values({ ...planted, DATABASE_URL: 'planted-password', SIGNING_KEY: 'planted0planted0' }),
    inConfig,
    token,
  ];
});

afterAll(async () => {
  await cli[Symbol.asyncDispose]();
});

/** Which of the secrets stand in a text, as they are or as JSON has them. */
const shown = (text: string): string[] =>
  secrets.filter((secret) => text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1)));

const filesIn = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    const found = statSync(path);
    return found.isDirectory() ? filesIn(path) : found.isFile() ? [path] : [];
  });

const ways = ['pieces', 'halves', 'whole', 'fail', 'crash'];

describe('a secret of the daemon', () => {
  test('is in no agent’s environment, and on no tape even where an agent reads its parents’ environments', async () => {
    const tapes: string[] = [];
    for (const way of ways) {
      const lane = way === 'whole' ? 'background' : 'interactive';
      await cli.run(['send', way, '--lane', lane, '--max-attempts', '1', '--wait', way]);
      tapes.push((await cli.run(['tail', way, '--session', '--after', '0', '--no-follow', '--json'])).stdout);
    }
    const work = filesIn(join(cli.data, dataFiles.workspaces)).filter((path) => path.endsWith('found.json'));
    expect(work).toHaveLength(ways.length);
    for (const path of work) {
      const found = JSON.parse(readFileSync(path, 'utf8')) as { own: string[]; above: string[]; files: string[] };
      expect(shown(found.own.join('\n'))).toEqual([]);
      const ours = found.own.filter((line) => line.startsWith('SIGNALBOX_')).map((line) => line.split('=')[0]);
      const given = ['SIGNALBOX_COOKIE', 'SIGNALBOX_DAEMON_ID', 'SIGNALBOX_URL', 'SIGNALBOX_TOKEN'];
      expect(ours.filter((name) => !given.includes(name ?? ''))).toEqual([]);
      expect(found.own).toContain('GIVEN=yes');
      expect(found.files).toEqual([]);
      // Without this the rest of the test could not fail: it did find them, where the system lets it.
      if (process.platform === 'linux') {
        expect(shown(readFileSync(path, 'utf8'))).toEqual([...secrets]);
      }
    }
    for (const tape of tapes) {
      expect(tape).toContain('[redacted]');
      expect(shown(tape)).toEqual([]);
    }
    // What came in pieces is whole but for the secrets.
    expect(tapes[0]?.match(/"kind":"text"/g)?.length).toBeGreaterThan(100);
  });

  test('is only in the token’s own file of the data folder, and in a working folder only where the agent wrote it', () => {
    const files = filesIn(cli.data).filter(
      (path) => path !== join(cli.data, dataFiles.token) && !path.endsWith('found.json'),
    );
    expect(files.some((path) => path.includes('signalbox.db'))).toBe(true);
    for (const path of files) {
      expect([path, shown(readFileSync(path, 'latin1'))]).toEqual([path, []]);
    }
  });

  test('is in no view, explanation, metric or hang report', async () => {
    const token = readFileSync(join(cli.data, dataFiles.token), 'utf8').trim();
    const headers = { authorization: `Bearer ${token}` };
    const paths = [
      '/metrics',
      '/v1/tasks',
      '/v1/sessions',
      '/v1/sessions/whole',
      '/v1/permission-requests',
      '/v1/providers',
      '/v1/events',
    ];
    for (const path of paths) {
      const response = await fetch(url + path, { headers });
      expect([path, response.status]).toEqual([path, 200]);
      expect([path, shown(await response.text())]).toEqual([path, []]);
    }
    const live = await cli.run(['doctor', '--live', '--json']);
    expect(live.stdout).toContain('"class"');
    expect(shown(live.stdout + live.stderr)).toEqual([]);
  });

  test('is in no line of the log', async () => {
    const gone = new Promise((resolve) => daemon.once('close', resolve));
    daemon.kill('SIGTERM');
    await gone;
    expect(log).toContain('"level"');
    expect(shown(log)).toEqual([]);
  });
});

test('the log redacts secrets in every value, also in lines that wait for it to be loaded', () => {
  const source = `
    import { makeLog } from ${JSON.stringify(new URL('../../src/daemon/log.ts', import.meta.url).href)};
    import { makeRedactor } from ${JSON.stringify(new URL('../../src/supervise/redact.ts', import.meta.url).href)};
    const log = makeLog('debug', makeRedactor([process.env.SECRET]));
    const say = () => log.error({ err: new Error('it was ' + process.env.SECRET), [process.env.SECRET]: 1 }, process.env.SECRET);
    say();
    if (process.argv[1] === 'open') await log.open();
    say();
  `;
  for (const how of ['open', 'ended before']) {
    const args = ['--no-warnings', '--input-type=module', '-e', `${source}`, '--', how];
    const env = { PATH: process.env['PATH'], SECRET: planted.CI_JOB_TOKEN };
    const said = execFileSync('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', process.execPath, ...args], { env }).toString();
    expect(said.trim().split('\n')).toHaveLength(2);
    expect(said).toContain('it was [redacted]');
    expect(said).not.toContain('planted');
  }
});

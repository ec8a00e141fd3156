/** Files that the command line finds by itself: none of them is taken from an agent's folder or from another user. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exitCodes } from '../../src/core/error-codes.ts';
import { Cli } from '../support/cli.ts';

/** A server that keeps what it is sent. */
async function thief() {
  const sent: string[] = [];
  const server = createServer((request, response) => {
    sent.push(request.headers.authorization ?? 'nothing');
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    sent,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** What an agent can leave in its folder: code that runs, and an address to which a token goes. */
function plant(folder: string, url: string): void {
  mkdirSync(join(folder, '.signalbox'), { recursive: true });
  const file = JSON.stringify({ url, pid: process.pid, version: '0', startedAt: 0 });
  writeFileSync(join(folder, '.signalbox', 'daemon.json'), file);
  const code = `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(join(folder, 'ran'))}, '');\nexport default {};\n`;
  writeFileSync(join(folder, 'signalbox.config.mjs'), code);
}

test.each([['doctor'], ['up', '--port', '0'], ['send', 'hello', 'words'], ['sessions']])(
  '`%s` in the folder of an agent runs no configuration that lies there, and sends no token to an address from there',
  async (...args) => {
    await using evil = await thief();
    await using cli = new Cli();
    writeFileSync(join(cli.folder, 'signalbox.db'), '');
    const workspace = join(cli.folder, 'workspaces', 'hello-1');
    plant(workspace, evil.url);
    const ran = await cli.run(args, {
      cwd: workspace,
      env: { SIGNALBOX_TOKEN: 'a-token-that-was-given', SIGNALBOX_DATA: '' },
    });
    expect([ran.code, ran.stderr]).toEqual([
      exitCodes.usage,
      expect.stringMatching(/not read: it is in the working folder of an agent/),
    ]);
    expect(existsSync(join(workspace, 'ran'))).toBe(false);
    expect(evil.sent).toEqual([]);
  },
);

test.runIf(process.getuid?.() === 0)(
  'a configuration and an address of another user are not read, unless they are named',
  async () => {
    await using evil = await thief();
    await using cli = new Cli();
    const project = join(cli.folder, 'project');
    plant(project, evil.url);
    chownSync(join(project, 'signalbox.config.mjs'), 65_534, 65_534);
    const env = { SIGNALBOX_TOKEN: 'a-token-that-was-given', SIGNALBOX_DATA: '' };
    const found = await cli.run(['sessions'], { cwd: project, env });
    expect([found.code, found.stderr]).toEqual([exitCodes.usage, expect.stringContaining('belongs to another user')]);
    chownSync(join(project, '.signalbox', 'daemon.json'), 65_534, 65_534);
    const named = await cli.run(['sessions', '--data', join(project, '.signalbox')], { cwd: cli.folder, env });
    expect([named.code, named.stderr]).toEqual([exitCodes.usage, expect.stringContaining('--url')]);
    expect(evil.sent).toEqual([]);
  },
);

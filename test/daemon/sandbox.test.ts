/** What a daemon does where its agents have no sandbox: by what it says, and by what it starts. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type Client, createClient } from '../../src/client/index.ts';
import { tokenIn } from '../../src/cli/target.ts';
import { Cli } from '../support/cli.ts';
import { bubblewrap, sandboxLack } from '../support/sandbox.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const script = join(repository, 'src/agents/scripted/program/main.ts');

interface Scene extends AsyncDisposable {
  readonly client: Client;
  readonly said: string;
  /** A folder on the PATH of the daemon, which has nothing else but this Node. */
  readonly bin: string;
  doctor(): Promise<{ readonly code: number | null; readonly checks: readonly { readonly name: string }[] }>;
}

async function daemonWith(sandbox: 'auto' | 'required'): Promise<Scene> {
  const cli = new Cli();
  const bin = join(cli.folder, 'bin');
  mkdirSync(bin);
  const agent = { name: 'process', command: process.execPath, args: [script], sandbox, readable: [repository] };
  const file = join(cli.folder, 'signalbox.config.ts');
  writeFileSync(file, `export default ${JSON.stringify({ agent })}`);
  const env = { PATH: `${dirname(process.execPath)}:${bin}` };
  const up = await cli.up(['--config', file], { env });
  return {
    client: createClient({ baseUrl: up.ready.url, token: tokenIn(cli.data) }),
    said: JSON.stringify(up.ready),
    bin,
    async doctor() {
      const { code, stdout } = await cli.run(['doctor', '--json', '--config', file], { env });
      return { code, ...(JSON.parse(stdout) as { readonly checks: readonly { readonly name: string }[] }) };
    },
    [Symbol.asyncDispose]: () => cli[Symbol.asyncDispose](),
  };
}

async function ended(client: Client, task: string): Promise<unknown> {
  for await (const event of client.follow(task)) {
    if (event.kind === 'known' && event.type === 'final') {
      return event.data;
    }
  }
  return null;
}

test('B03 by a sandbox that is required and missing: the task waits, and completes in its first attempt', async (context) => {
  if (sandboxLack !== null) {
    context.skip(sandboxLack);
  }
  await using daemon = await daemonWith('required');
  const { client, bin } = daemon;
  expect(daemon.said).toContain('"mode":"required","by":null,"why":"bubblewrap is not installed');
  const { task } = await client.submit({ session: 'a', prompt: '[[text:there]]', maxAttempts: 1 });
  // It is started again and again: an explanation may come in between.
  let explained = '';
  for await (const event of client.followSession('a')) {
    if (event.kind === 'known' && event.type === 'throttled' && event.data.reason === 'agent_start_failed') {
      const { summary, waitsFor } = await client.explain(task);
      explained = [summary, ...waitsFor.map(({ what }) => what)].join('\n');
      if (explained.includes('sandbox')) {
        break;
      }
    }
  }
  expect(explained).toContain('agent.sandbox is required: bubblewrap is not installed');
  const before = await daemon.doctor();
  expect(before.code).toBe(1);
  expect(before.checks).toContainEqual(expect.objectContaining({ name: 'sandbox', state: 'missing' }));
  symlinkSync(bubblewrap, join(bin, 'bwrap'));
  expect(await ended(client, task)).toMatchObject({ status: 'completed', attempts: 1 });
  expect((await daemon.doctor()).checks).toContainEqual(expect.objectContaining({ name: 'sandbox', state: 'ok' }));
}, 90_000);

test('an agent that is to have a sandbox, and has none, runs, and the tape and doctor say so', async () => {
  await using daemon = await daemonWith('auto');
  const { client } = daemon;
  expect(daemon.said).toContain('"mode":"auto","by":null,"why":"bubblewrap is not installed');
  const { task } = await client.submit({ session: 'a', prompt: '[[text:there]]' });
  expect(await ended(client, task)).toMatchObject({ status: 'completed' });
  const { items } = await client.sessionEvents('a', { limit: 200 });
  expect(JSON.stringify(items)).toContain('it runs without a sandbox: bubblewrap is not installed');
  const { code, checks } = await daemon.doctor();
  expect(code).toBe(0);
  expect(checks).toContainEqual(expect.objectContaining({ name: 'sandbox', state: 'note' }));
}, 60_000);

/** What a person sees in the first ten minutes: what a task waits for, how to stop waiting, and what is missing. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Cli, ended, saying } from '../support/cli.ts';

const send = async (cli: Cli, ...words: readonly string[]): Promise<string> =>
  String((await cli.json(['send', ...words]))['task']);

async function until(cli: Cli, task: string, what: RegExp): Promise<void> {
  const tail = cli.spawn(['tail', task, '--json']);
  await saying(tail, what);
  tail.kill();
}

/** A program that says its version, and nothing else: it needs a login, as some do. */
function silentAgent(cli: Cli): { readonly [name: string]: string } {
  const file = join(cli.folder, 'bin', 'claude');
  mkdirSync(join(cli.folder, 'bin'));
  writeFileSync(file, '#!/bin/sh\nif [ "$1" = --version ]; then echo 2.1.0; else exec cat >/dev/null; fi\n');
  chmodSync(file, 0o755);
  return { AGENT_BIN_CLAUDE: file };
}

describe('a person who waits for a task', () => {
  test('reads what it waits for, on standard error, and whenever that changes', async () => {
    await using cli = new Cli();
    await cli.up();
    const owner = await send(cli, 's', '[[forever:20]]');
    await until(cli, owner, /"type":"output"/);
    const waiting = cli.spawn(['send', 's', '[[ask:build it]] [[text:done]]', '--wait', '--permissions', 'ask']);
    const over = ended(waiting);
    await saying(waiting, /signalbox: waiting: The task is next; an interactive task owns the session\.\n/, 'stderr');
    const asks = saying(
      waiting,
      /signalbox: waits for a person: shell: build it\n→ signalbox approve s r1, or deny\n/,
      'stderr',
    );
    await cli.json(['cancel', owner]);
    await asks;
    await cli.json(['approve', 's', 'r1']);
    const { code, stdout, stderr } = await over;
    expect([code, stdout]).toEqual([0, expect.stringContaining('done') as string]);
    expect(stderr.match(/owns the session/g)).toHaveLength(1);
    expect(stderr.match(/build it/g)).toHaveLength(1);
  });

  test('reads nothing of it with --quiet', async () => {
    await using cli = new Cli();
    await cli.up();
    const ran = await cli.run(['send', 's', '[[sleep:3500]] [[text:done]]', '--wait', '--quiet']);
    expect([ran.code, ran.stderr, ran.stdout]).toEqual([0, '', expect.stringContaining('done') as string]);
  });

  test.each(['--wait', '--follow'])('and ends %s by Ctrl-C, reads that the task continues', async (how) => {
    await using cli = new Cli();
    await cli.up();
    const waiting = cli.spawn(['send', 's', '[[forever:20]]', how]);
    const over = ended(waiting);
    for (let open: unknown; open !== 1;) {
      ({ open } = await cli.json(['session', 's']).catch(() => ({ open: 0 })));
    }
    const { items } = await cli.json(['tasks', '--session', 's']);
    const [{ id }] = items as readonly [{ readonly id: string }];
    await until(cli, id, /"type":"output"/);
    waiting.kill('SIGINT');
    const { code, stderr } = await over;
    expect(code).toBe(130);
    expect(stderr).toContain(
      `signalbox: task ${id} continues. Follow it: signalbox tail ${id}; cancel it: signalbox cancel ${id}\n`,
    );
    expect(await cli.json(['task', id])).toMatchObject({ status: 'running' });
  });
});

describe('an agent without a login', () => {
  test('is named by up and by send, with what to type', async () => {
    await using cli = new Cli();
    const env = silentAgent(cli);
    const child = cli.spawn(['up', '--port', '0', '--agent', 'claude', '--log-level', 'silent'], { env });
    const started = await saying(child, /Ctrl-C ends it/);
    expect(started).toMatch(
      /agent +claude: Claude Code 2\.1\.0 \(.*claude\), but it is not logged in\n +→ Run `claude` and log in/,
    );
    expect(started).toMatch(/folders +.*workspaces\/…, one for each session/);
    const waiting = cli.spawn(['send', 'hello', 'Say hello', '--wait'], { env });
    const login =
      'claude is not logged in, as far as can be seen\\. Run `claude` and log in, or set ANTHROPIC_API_KEY\\.';
    await saying(waiting, new RegExp(`${login}[^]*waits for its agent: starting`), 'stderr');
    waiting.kill();
    const logged = await cli.run(['send', 'hello', 'x'], { env: { ANTHROPIC_API_KEY: 'k' } });
    expect(logged.stderr).not.toContain('logged in');
  });
});

describe('the command `init`', () => {
  test('writes a configuration for the agents found, which the daemon accepts', async () => {
    await using cli = new Cli();
    const env = { ...silentAgent(cli), ANTHROPIC_API_KEY: 'k', SIGNALBOX_DATA: '' };
    const ran = await cli.run(['init'], { env });
    const file = join(cli.folder, 'signalbox.config.ts');
    expect([ran.code, ran.stdout]).toEqual([0, `written: ${file}, for the agent claude\n`]);
    expect(readFileSync(file, 'utf8')).toMatch(
      /\/\/ {3}claude +Claude Code 2\.1\.0 .*login: ANTHROPIC_API_KEY\n(?:.*\n)* {2}agent: \{ name: 'claude' \},/,
    );
    const { checks } = await cli.json(['doctor'], { env });
    expect(checks).toContainEqual(expect.objectContaining({ name: 'configuration', state: 'ok', what: file }));
    expect((await cli.run(['init'], { env })).stderr).toContain('--force');
    expect((await cli.run(['init', '--force', '--agent', 'nope'], { env })).stderr).toContain('One of: scripted');
  });

  test('writes comments that are code, once the comment signs are removed', async () => {
    await using cli = new Cli();
    await cli.run(['init', '--agent', 'scripted'], { env: { SIGNALBOX_DATA: '' } });
    const file = join(cli.folder, 'signalbox.config.ts');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^ {2}\/\/ ((?: |[a-z]+: |\}).*)$/gm, '$1'));
    const { checks } = await cli.json(['doctor'], { env: { SIGNALBOX_DATA: '' } });
    expect(checks).toContainEqual(expect.objectContaining({ name: 'configuration', state: 'ok' }));
  });
});

/** The commands as a person runs them: real processes, against a real daemon with the scripted agent. */
import { spawn } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ErrorCode, errorEntry, exitCodes } from '../../src/core/error-codes.ts';
import { isThere } from '../../src/cli/demo/child.ts';
import { dataFiles } from '../../src/protocol/folder.ts';
import type { Up } from '../support/cli.ts';
import { Cli, ended, program, saying, signalUntilGone } from '../support/cli.ts';

let cli: Cli;
let up: Up;

beforeAll(async () => {
  cli = new Cli();
  up = await cli.up();
});

afterAll(async () => {
  await cli[Symbol.asyncDispose]();
});

const send = async (...args: readonly string[]): Promise<string> => String((await cli.json(['send', ...args]))['task']);

describe('the command `up`', () => {
  test('prints its address, and writes its files for their owner alone', () => {
    expect(up.ready).toMatchObject({
      type: 'ready',
      folder: cli.data,
      pid: up.child.pid,
      agent: { name: 'scripted', standIn: true },
    });
    const mode = (name: string): number => statSync(join(cli.data, name)).mode & 0o777;
    expect([mode('.'), mode(dataFiles.token), mode(dataFiles.database), mode(dataFiles.daemon)]).toEqual([
      0o700, 0o600, 0o600, 0o600,
    ]);
    expect(JSON.parse(readFileSync(join(cli.data, dataFiles.daemon), 'utf8'))).toMatchObject({ url: up.ready.url });
  });

  test('stores conversations of the scripted agent for their owner alone, whatever the mode of the folder', async () => {
    await cli.json(['send', 'private', 'x', '--wait']);
    expect(statSync(join(cli.data, dataFiles.scripted)).mode & 0o777).toBe(0o700);
  });

  test('refuses a second daemon on the same folder, and names the first one', async () => {
    const second = await cli.run(['up', '--port', '0']);
    expect([second.code, second.stdout]).toEqual([exitCodes.storage, '']);
    expect(second.stderr).toContain(`(pid ${up.child.pid})`);
    expect((await cli.run(['tasks'])).code).toBe(exitCodes.ok);
  });

  test('is refused on a port that is taken, and releases its folder again', async () => {
    const data = join(cli.folder, 'other');
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const refused = await cli.run(['up', '--data', data, '--port', String(port)]);
    await new Promise((resolve) => taken.close(resolve));
    expect([refused.code, refused.stdout]).toEqual([exitCodes.unavailable, '']);
    expect(refused.stderr).toContain(`127.0.0.1:${port} is in use`);
    const next = await cli.up(['--data', data]);
    next.child.kill('SIGTERM');
    expect((await next.ended).code).toBe(0);
  });

  test('ends after a failed start, also where a parent holds a channel to it', async () => {
    const child = spawn(process.execPath, [program, 'up', '--port', '99999', '--data', join(cli.folder, 'none')], {
      cwd: cli.folder,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const { code, stderr } = await ended(child);
    expect([code, stderr]).toEqual([exitCodes.usage, expect.stringContaining('listen.port must be at most 65535')]);
  });

  test('shows a person which agent answers, and how to send', async () => {
    const child = cli.spawn(['up', '--port', '0', '--data', 'own', '--log-level', 'silent']);
    const said = await saying(child, /Ctrl-C ends it/);
    expect(said).toMatch(/^Signalbox \d+\.\d+\.\d+ answers at http:\/\/127\.0\.0\.1:\d+$/m);
    expect(said).toMatch(/agent +scripted, the stand-in until a real agent is configured/);
    expect(said).toMatch(/send +signalbox send --data own hello "Say hello"/);
    child.kill('SIGINT');
    expect((await ended(child)).code).toBe(0);
  });

  test('waits for its interrupted turn after the first signal, and ends everything at the second', async () => {
    const data = join(cli.folder, 'twice');
    const log = join(cli.folder, 'agent.log');
    const env = { SIGNALBOX_LIMITS_GRACE_MS: '600000', SIGNALBOX_AGENT_LOG: log };
    const child = cli.spawn(['up', '--port', '0', '--data', data, '--log-level', 'silent'], { env });
    await saying(child, /Ctrl-C ends it/);
    const { task } = await cli.json(['send', 'busy', '[[deaf]] [[forever:20]]', '--data', data]);
    const tail = cli.spawn(['tail', String(task), '--raw', '--data', data]);
    await saying(tail, /chunk 3/);
    tail.kill();
    const { pid } = JSON.parse(readFileSync(log, 'utf8').split('\n')[0] ?? '') as { readonly pid: number };
    const gone = ended(child);
    const told = saying(child, /SIGINT: running turns are interrupted, and have 600 s to end/, 'stderr');
    child.kill('SIGINT');
    // npm passes on the Ctrl-C that the terminal has sent us already: that is one, not two.
    child.kill('SIGINT');
    await told;
    expect(isThere(pid)).toBe(true);
    await signalUntilGone(child, 'SIGINT');
    // One that comes while Node ends finds no handler any more: a shell shows 130 for that, too.
    const { code, signal } = await gone;
    expect([code, signal]).toEqual(signal === null ? [130, null] : [null, 'SIGINT']);
    // A signal is not delivered in no time; one that was not sent shows as the time limit of the test.
    while (isThere(pid)) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
});

describe('the command `send`', () => {
  test('prints the receipt, and how to follow the task', async () => {
    const ran = await cli.run(['send', 'hello', 'Say', 'hello']);
    expect(ran.code).toBe(0);
    const id = /^accepted ([0-9a-f-]{36}) in hello: has the session$/m.exec(ran.stdout)?.[1];
    expect([ran.stdout.split('\n').length, ran.stderr]).toEqual([2, `follow it: signalbox tail ${id}\n`]);
    const quiet = await cli.run(['send', 'hello', 'x', '--quiet']);
    expect(quiet).toMatchObject({ stderr: '', stdout: expect.stringMatching(/^[0-9a-f-]{36}\n$/) as string });
  });

  test('with --wait says why a task failed and what to do, and what a later one waits for', async () => {
    await using cli = new Cli();
    await cli.up(['--agent', 'scripted']);
    const failed = await cli.run(['send', 's', '[[api:401]]', '--wait']);
    expect(failed.stderr).toMatch(/failed \(auth: the agent has no login[^]*401[^]*Log in again/);
    const later = cli.spawn(['send', 's', '[[text:later]]', '--wait']);
    expect(await saying(later, /waits: /, 'stderr')).toMatch(/waits: All work of the session is throttled \(auth/);
    later.kill('SIGTERM');
  });

  test('takes the time of a task in milliseconds, with a unit, or as null', async () => {
    const sent = async (time: string) => {
      const { task } = await cli.json(['send', 'timed', '[[text:a]]', '--expires-in', time]);
      const view = await cli.json(['task', String(task)]);
      return view['expiresAt'] === null ? null : Number(view['expiresAt']) - Number(view['admittedAt']);
    };
    expect([await sent('90000'), await sent('90s'), await sent('7d'), await sent('null')]).toEqual([
      90_000,
      90_000,
      604_800_000,
      null,
    ]);
    const wrong = await cli.run(['send', 'timed', 'p', '--expires-in', '1 hour']);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--expires-in 24h') as string]);
  });

  test('prints only the answer with --wait, reads the prompt from - and names the user as the author', async () => {
    const ran = await cli.run(['send', 'hello', '--wait', '-'], { input: '[[text:from a pipe]]' });
    expect(ran).toEqual({ code: 0, signal: null, stdout: 'from a pipe\n', stderr: '' });
    const { items } = await cli.json(['tasks', '--session', 'hello', '--limit', '1']);
    expect(items).toMatchObject([{ source: 'cli', author: 'tester', status: 'completed' }]);
  });

  test('shows every event with --follow, and ends with the outcome', async () => {
    const good = await cli.run(['send', 'hello', '[[stream:3,1]]', '--follow', '--raw']);
    expect(good.code).toBe(exitCodes.ok);
    expect(good.stdout.match(/#\d+/g)).toEqual(good.stdout.match(/#\d+/g)?.map((_, index) => `#${index + 1}`));
    expect(good.stdout.trimEnd().split('\n').at(-1)).toMatch(/final +completed/);
    const bad = await cli.run(['send', 'hello', '[[fail:no luck]]', '--wait']);
    expect([bad.code, bad.stdout]).toEqual([exitCodes.failed, '']);
    expect(bad.stderr).toMatch(/failed \(agent_failed: /);
  });

  test('makes one task of two calls with one key', async () => {
    const first = await cli.json(['send', 'keyed', 'x', '--key', 'once']);
    const again = await cli.json(['send', 'keyed', 'x', '--key', 'once']);
    expect([again['task'], first['duplicate'], again['duplicate']]).toEqual([first['task'], false, true]);
  });

  test('passes lane, policy, priority, labels and rights as they are given', async () => {
    const flags = [
      '--lane',
      'background',
      '--when-busy',
      'enqueue',
      '--priority',
      '7',
      '--label',
      'a=b=c',
      '--rights',
      'low',
      '--on-lost',
      'fail',
      '--max-attempts',
      '1',
    ];
    const id = await send('flags', 'x', ...flags);
    expect(await cli.json(['task', id])).toMatchObject({
      lane: 'background',
      whenBusy: 'enqueue',
      priority: 7,
      labels: { a: 'b=c' },
      rights: 'low',
      onLost: 'fail',
      maxAttempts: 1,
    });
  });

  test.each([
    [['send', 'x', ''], exitCodes.usage, /the prompt is empty/],
    [['send', 'x', 'y', '--label', 'nothing'], exitCodes.usage, /NAME=TEXT/],
    [['send', 'x', 'y', '--input', '{'], exitCodes.usage, /not JSON/],
    [['send', 'x', 'y', '--priority', '5000'], exitCodes.usage, /--priority must be at most 1000/],
    [['send', 'x', 'y', '--runner', 'nobody'], exitCodes.usage, /runner/],
    [['send', 'x'.repeat(201), 'y'], exitCodes.usage, /SESSION must have at most 200/],
    [['send', 'x', 'y', '--key', 'a b'], exitCodes.usage, /--key: Use 1 to 200/],
  ] as const)('%j is refused with its error', async (args, code, message) => {
    const ran = await cli.run(args);
    expect([ran.code, ran.stdout]).toEqual([code, '']);
    expect(ran.stderr).toMatch(message);
  });
});

describe('a command on tasks and sessions', () => {
  test('lists, explains, edits, moves, cancels, stops, parks, unparks and evicts in a busy session', async () => {
    const owner = await send('busy', '[[forever:20]]');
    const tail = cli.spawn(['tail', owner, '--raw']);
    const followed = ended(tail, null);
    await saying(tail, /chunk 1/);
    const first = await send('busy', 'first', '--lane', 'background');
    const second = await send('busy', 'second', '--lane', 'background');
    expect((await cli.json(['session', 'busy']))['queue']).toEqual([first, second]);
    expect(await cli.json(['move', second, '--before', first])).toEqual({ ok: true });
    expect((await cli.json(['session', 'busy']))['queue']).toEqual([second, first]);
    expect(await cli.json(['edit', second, 'another', 'prompt'])).toEqual({ ok: true });
    expect(await cli.json(['task', second])).toMatchObject({ prompt: 'another prompt', status: 'queued' });

    const explained = await cli.json(['explain', first]);
    expect(explained).toMatchObject({ task: first, status: 'queued', owner: { task: owner }, ahead: [second] });
    const why = await cli.run(['explain', first]);
    expect(why.stdout).toMatch(new RegExp(`owner +${owner}`));
    expect((await cli.run(['session', 'busy'])).stdout).toMatch(
      new RegExp(`1\\. ${second}  waiting  another prompt\\n +2\\. ${first}  waiting  first`),
    );
    expect((await cli.run(['sessions'])).stdout).toMatch(/^busy +running +3 +2 /m);
    expect(
      (await cli.run(['tasks', '--session', 'busy', '--status', 'queued'])).stdout.match(/ waiting /g),
    ).toHaveLength(2);

    expect(await cli.json(['cancel', second, '--reason', 'not-needed'])).toMatchObject({ state: 'acknowledged' });
    expect(await cli.json(['cancel', second])).toMatchObject({ state: 'already-terminal', reason: 'not-needed' });
    expect(await cli.json(['stop', 'busy', '--scope', 'queue'])).toMatchObject({ receipts: [{ task: first }] });
    expect((await cli.run(['park', 'busy', 'a', 'reason'])).stdout).toMatch(/busy is parked/);
    expect(await cli.json(['session', 'busy'])).toMatchObject({
      parked: { kind: 'operator', reason: 'a reason', by: { kind: 'person' } },
    });
    expect(await cli.json(['unpark', 'busy'])).toEqual({ ok: true });
    expect(await cli.json(['evict', 'busy'])).toEqual({ ok: true });

    const { code, stdout } = await followed;
    expect(code).toBe(exitCodes.failed);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/final +failed \(evicted\)/);
  });

  test.each([
    [['task', 'nope'], exitCodes.notFound, /no task "nope"/i],
    [['tail', '0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11'], exitCodes.notFound, /no task/i],
    [['tail', 'no-such-session'], exitCodes.notFound, /no session|session/i],
    [['session', 'no-such-session'], exitCodes.notFound, /session/i],
    [['unpark', 'hello'], exitCodes.refused, /not parked/],
    [['evict', 'flags', '--epoch', '9999'], exitCodes.refused, /./],
    [['stop', 'hello'], exitCodes.usage, /--scope is missing/],
    [['move', 'x'], exitCodes.usage, /where to/],
    [['move', 'x', '--first', '--last'], exitCodes.usage, /one or the other/],
    [['tail', '--session'], exitCodes.usage, /TARGET is missing/],
    [['tail', '0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11', '--after', 'x'], exitCodes.usage, /must be a seq/],
    [['tasks', '--cursor', 'made-up'], exitCodes.usage, /cursor/],
    [['task', ''], exitCodes.usage, /"" is not the id of a task/],
    [['session', '..'], exitCodes.usage, /"\.\." is not the key of a session/],
    [['tasks', '--data', ''], exitCodes.usage, /the value of --data is empty/],
    [['tasks', '--token', 'two\nlines'], exitCodes.usage, /the token is malformed/],
  ] as const)('%j is refused with its error', async (args, code, message) => {
    const ran = await cli.run(args);
    expect([ran.code, ran.stdout]).toEqual([code, '']);
    expect(ran.stderr).toMatch(message);
    expect(ran.stderr).not.toMatch(/defect|\n +at /);
  });

  test('begins a fresh conversation, and says when it begins', async () => {
    await cli.json(['send', 'renewed', '[[text:hi]]', '--wait']);
    const first = await cli.run(['new', 'renewed']);
    expect([first.code, first.stdout]).toEqual([0, 'the next prompt of renewed begins a fresh conversation\n']);
    expect(await cli.json(['new', 'renewed'])).toEqual({ session: 'renewed', state: 'unused', turn: null });
    await cli.json(['send', 'renewed', '[[text:hi]]', '--wait', '--conversation', 'fresh']);
    const { stdout } = await cli.run(['tail', 'renewed', '--session', '--no-follow', '--raw']);
    expect(stdout.match(/conversation-ended/g)).toHaveLength(1);
    expect(stdout).toMatch(/conversation-ended.+why=command by=/);
  });

  test('gives a session another model, and refuses an agent that is not there', async () => {
    await cli.json(['send', 'assigned', '[[text:hi]]', '--wait', '--agent', 'scripted']);
    const first = await cli.run(['assign', 'assigned', 'scripted', '--model', 'large']);
    expect([first.code, first.stdout]).toEqual([0, 'the next prompt of assigned goes to scripted\n']);
    expect(await cli.json(['assign', 'assigned', 'scripted', '--model', 'large'])).toMatchObject({
      session: 'assigned',
      state: 'unchanged',
      conversationLost: false,
    });
    expect(await cli.json(['session', 'assigned'])).toMatchObject({ assigned: { agent: 'scripted', model: 'large' } });
    const { code, stderr } = await cli.run(['assign', 'assigned', 'nobody', '--json']);
    expect([code, JSON.parse(stderr)]).toMatchObject([exitCodes.usage, { error: { code: 'unknown_agent' } }]);
  });

  test('prints errors as JSON with --json', async () => {
    const { code, stderr, stdout } = await cli.run(['task', 'nope', '--json']);
    expect([code, stdout]).toEqual([exitCodes.notFound, '']);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'unknown_task', hint: expect.stringContaining('signalbox tasks') as string },
    });
  });
});

describe('a refusal of the daemon', () => {
  const ofTask = 'There is no task "nope".';
  const ofSession = 'There is no session "nope".';

  test.each([
    [['task', 'nope'], ofTask],
    [['edit', 'nope', 'x'], ofTask],
    [['move', 'nope', '--first'], ofTask],
    [['cancel', 'nope'], ofTask],
    [['explain', 'nope'], ofTask],
    [['session', 'nope'], ofSession],
    [['tail', 'nope'], ofSession],
    [['tail', 'nope', '--session', '--no-follow'], ofSession],
    [['stop', 'nope', '--scope', 'turn'], ofSession],
    [['evict', 'nope'], ofSession],
    [['park', 'nope', 'x'], ofSession],
    [['unpark', 'nope'], ofSession],
    [['restart', 'nope'], ofSession],
    [['new', 'nope'], ofSession],
    [['assign', 'nope', 'scripted'], ofSession],
    [['providers', 'resume', 'nope'], 'There is no provider "nope".'],
    [['hangs', 'nope'], 'There is no hang report "nope".'],
  ])('of %j says that it does not exist, with the hint of the code', async (words, message) => {
    const { code, stderr } = await cli.run([...words, '--json']);
    const { error } = JSON.parse(stderr) as { readonly error: { readonly code: ErrorCode } };
    expect(error).toMatchObject({ message, hint: errorEntry(error.code).hint });
    expect(code).toBe(exitCodes.notFound);
  });

  test.each([
    [['tasks', '--limit', '0'], /^--limit must be at least 1\.$/],
    [['sessions', '--limit', '100000'], /^--limit must be at most 200\.$/],
    [['tasks', '--cursor', 'x'], /^--cursor: not a cursor of this list: "x"$/],
    [['send', 'a', 'x', '--priority', '999999'], /^--priority must be at most 1000\.$/],
    [['send', 'a', 'x', '--max-attempts', '0'], /^--max-attempts must be at least 1\.$/],
    [['send', 'a', 'x', '--label', `a=${'b'.repeat(5000)}`], /^--label must have at most \d+ characters\.$/],
    [['send', 'a', 'x', '--permissions', 'ask', '--allow', 'b'.repeat(5000)], /^--allow must have at most \d+ char/],
    [['send', 'a', 'x', '--key', 'a b'], /^--key: Use 1 to 200 printable ASCII/],
    [['send', '.', 'x'], /^SESSION is malformed\. Key of a session: /],
    [['move', 'a', '--priority', '999999'], /^--priority must be at most 1000\.$/],
    [['evict', 'a', '--epoch', '-1'], /^--epoch must be at least 1\.$/],
    [['park', 'a', 'x'.repeat(5000)], /^REASON must have at most \d+ characters\.$/],
    [['task', 'a/b'], /^TASK is malformed\. Id of a task/],
    [['task', '.'], /^TASK: "\." is not the id of a task$/],
    [['tail', '--after', 'x', '--no-follow'], /^--after: not a cursor of this list: "x"$/],
    [['tail', '--after', 'x'], /^--after: not a cursor of this list: "x"$/],
  ] as const)('of %j names the flag or argument and the help of the command', async (words, message) => {
    const { code, stderr } = await cli.run([...words, '--json']);
    const { error } = JSON.parse(stderr) as { readonly error: { readonly message: string; readonly hint: string } };
    expect(JSON.stringify(error)).not.toMatch(/\/(?:body|query|path|headers)\b|openapi|header|percent/i);
    expect(error.message).toMatch(message);
    expect(error.hint).toBe(`See \`signalbox ${words[0]} --help\`.`);
    expect(code).toBe(exitCodes.usage);
  });
});

describe('the command `tail`', () => {
  test('prints plain lines into a pipe, JSON lines when asked, and the same events', async () => {
    const id = await send('tailed', '[[text:\u001b[31mred]] [[text:two\nlines]]');
    const lines = (await cli.run(['tail', id, '--raw'])).stdout.trimEnd().split('\n');
    const events = (await cli.run(['tail', id, '--json'])).stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly seq: number; readonly type: string });
    expect(lines).toHaveLength(events.length);
    expect(lines.join('')).not.toContain('\u001b');
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)?.type).toBe('final');
    const later = (await cli.run(['tail', id, '--after', '3', '--json', '--no-follow'])).stdout.trimEnd().split('\n');
    expect(later).toHaveLength(events.length - 3);
  });

  test('shows future events of a session or of everything', async () => {
    await send('watched', 'x', '--wait');
    const session = cli.spawn(['tail', 'watched', '--json']);
    const all = cli.spawn(['tail', '--json']);
    // Both have answered a first request when the daemon counts two streams.
    for (let streams = 0; streams < 2;) {
      const metrics = await fetch(`${up.ready.url}/metrics`, {
        headers: { authorization: `Bearer ${readFileSync(join(cli.data, dataFiles.token), 'utf8').trim()}` },
      });
      streams = Number(/^signalbox_http_streams (\d+)$/m.exec(await metrics.text())?.[1]);
    }
    const seen = [saying(session, /"type":"final"/), saying(all, /"type":"final"/)];
    const id = await send('watched', 'y');
    for (const text of await Promise.all(seen)) {
      expect(text).toContain(id);
    }
    session.kill();
    all.kill();
    const past = await cli.run(['tail', 'watched', '--no-follow', '--json']);
    expect(past.stdout.match(/"type":"final"/g)).toHaveLength(2);
  });

  test('survives a reader that disconnects', async () => {
    const id = await send('pipe', '[[stream:2000,0,200]]');
    const child = cli.spawn(['tail', id, '--raw']);
    await saying(child, /chunk 1/);
    child.stdout?.destroy();
    const { code, stderr } = await ended(child);
    expect([code, stderr]).toEqual([0, '']);
  });

  test('continues over a restart of the daemon', async () => {
    const data = join(cli.folder, 'restart');
    const before = await cli.up(['--data', data]);
    const port = new URL(before.ready.url).port;
    const { task } = await cli.json(['send', 'long', '[[work:8,120]]', '--data', data]);
    const tail = cli.spawn(['tail', String(task), '--json', '--data', data]);
    const whole = ended(tail);
    await saying(tail, /step 2/);
    before.child.kill('SIGKILL');
    await before.ended;
    const after = await cli.up(
      ['--data', data, '--port', port].filter((word) => word !== '0'),
      {},
    );
    const { code, stdout, stderr } = await whole;
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly seq: number; readonly type: string });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect([code, events.at(-1)?.type]).toEqual([0, 'final']);
    expect(stderr).toBe('');
    after.child.kill('SIGTERM');
    await after.ended;
  });
});

describe('the choice of daemon and token', () => {
  test('ends with an error that says how to start a daemon, where none runs', async () => {
    const ran = await cli.run(['tasks', '--data', 'empty folder']);
    expect(ran.code).toBe(exitCodes.unavailable);
    expect(ran.stderr).toContain("signalbox up --data 'empty folder'");
  });

  test('reports an address without a listener, and one where another program listens', async () => {
    const other = createServer((socket) => socket.resume().end('SSH-2.0-OpenSSH\r\n'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const strange = await cli.run(['tasks', '--url', `http://127.0.0.1:${port}`]);
    expect([strange.code, strange.stderr]).toEqual([exitCodes.unavailable, expect.stringContaining('not HTTP')]);
    await new Promise((resolve) => other.close(resolve));
    expect((await cli.run(['tasks', '--url', `http://127.0.0.1:${port}`])).code).toBe(exitCodes.unavailable);
    expect((await cli.run(['tasks', '--url', 'nonsense'])).code).toBe(exitCodes.usage);
  });

  test('refuses a wrong token, and prefers a given token to the one of the folder', async () => {
    expect((await cli.run(['tasks', '--token', 'wrong'])).code).toBe(exitCodes.unauthorized);
    const token = readFileSync(join(cli.data, dataFiles.token), 'utf8').trim();
    const env = { SIGNALBOX_DATA: join(cli.folder, 'nowhere'), SIGNALBOX_URL: up.ready.url };
    expect((await cli.run(['tasks'], { env })).code).toBe(exitCodes.unauthorized);
    expect((await cli.run(['tasks'], { env: { ...env, SIGNALBOX_TOKEN: token } })).code).toBe(exitCodes.ok);
  });

  test('sends the token of the folder to no other host', async () => {
    const heard: string[] = [];
    const thief = createServer((socket) => socket.on('data', (part) => (heard.push(part.toString()), socket.end())));
    await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
    const { port } = thief.address() as AddressInfo;
    const preload = `data:text/javascript,import dns from 'node:dns';dns.lookup=(h,o,f)=>f(null,[{address:'127.0.0.1',family:4}]);`;
    await cli.run(['tasks', '--url', `http://elsewhere.example:${port}`], { node: ['--import', preload] });
    await new Promise((resolve) => thief.close(resolve));
    expect(heard.join('')).toContain('GET /v1/tasks');
    expect(heard.join('')).not.toMatch(/authorization/i);
  });

  test('ignores a daemon.json that a kill left, or that is not JSON', async () => {
    const data = join(cli.folder, 'killed');
    const killed = await cli.up(['--data', data]);
    killed.child.kill('SIGKILL');
    await killed.ended;
    expect((await cli.run(['tasks', '--data', data])).code).toBe(exitCodes.unavailable);
    writeFileSync(join(data, dataFiles.daemon), 'no json');
    expect((await cli.run(['tasks', '--data', data])).stderr).toContain('no daemon runs for');
  });
});

describe('the program', () => {
  test('prints its version, and runs the scripted agent', async () => {
    expect((await cli.run(['--version'])).stdout).toMatch(/^signalbox \d+\.\d+\.\d+ \(Node v\d+/);
    const agent = await cli.run(['agent', 'scripted'], {
      input: '{"type":"start","protocol":1,"session":"s","incarnation":1,"conversation":null}\n',
    });
    expect(agent.stdout).toMatch(/^\{"type":"ready"/);
    expect((await cli.run(['agent', 'scripted', '--nonsense'])).code).toBe(exitCodes.usage);
  });

  test('says on an older Node what to do, before it loads anything that Node lacks', async () => {
    const older = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.19.0'}});Object.defineProperty(process,'version',{value:'v20.19.0'});process.getBuiltinModule=undefined;`;
    const ran = await cli.run(['tasks'], { node: ['--import', older] });
    expect([ran.code, ran.stdout]).toEqual([exitCodes.usage, '']);
    expect(ran.stderr).toMatch(/needs Node 24 or newer, this is v20\.19\.0/);
    expect(ran.stderr).toMatch(/npx signalbox/);
  });

  test('prints no colour into a pipe, whatever the environment says', async () => {
    const ran = await cli.run(['tasks'], { env: { FORCE_COLOR: '1', CI: '1', TERM: 'xterm-256color' } });
    expect(ran.stdout).not.toContain('\u001b');
  });
});

/** Lists and explanations tell what waits, and why, from what runs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Cli, saying } from '../support/cli.ts';

interface Task {
  readonly id: string;
  readonly state: string;
  readonly lastWords: string | null;
}

const states = async (cli: Cli, session: string): Promise<readonly string[]> => {
  const { items } = await cli.json(['tasks', '--session', session]);
  return (items as readonly Task[]).map(({ state }) => state);
};

/** Resolves when the tape of a task has such an event. */
async function until(cli: Cli, task: string, what: RegExp): Promise<void> {
  const tail = cli.spawn(['tail', task, '--json']);
  await saying(tail, what);
  tail.kill();
}

const send = async (cli: Cli, ...words: readonly string[]): Promise<string> =>
  String((await cli.json(['send', ...words]))['task']);

test('a preempted task, one that waits, and the one that runs have different states', async () => {
  await using cli = new Cli();
  await cli.up();
  const first = await send(cli, 's', '[[forever:20]]', '--lane', 'background');
  await until(cli, first, /"type":"output"/);
  const second = await send(cli, 's', 'the last line\n[[text:said so]] [[forever:20]]');
  await until(cli, first, /"type":"preempted"/);
  await until(cli, second, /"kind":"text"/);
  const third = await send(cli, 's', 'x', '--when-busy', 'enqueue');
  expect(await states(cli, 's')).toEqual(['waiting', 'running', 'preempted']);
  const listed = (await cli.run(['tasks'])).stdout;
  expect(listed.split('\n').map((line) => line.split(/ +/)[1])).toEqual([
    'STATE',
    'waiting',
    'running',
    'preempted',
    undefined,
  ]);
  const ofTask = async (task: string): Promise<string> => (await cli.run(['task', task])).stdout;
  expect(await ofTask(first)).toMatch(/^state +preempted\. /m);
  expect(await ofTask(third)).toMatch(/^state +waiting\. 0? ?.*interactive task owns the session/m);
  expect((await cli.run(['explain', first])).stdout).toMatch(/^state +preempted$/m);
  const { items } = await cli.json(['sessions']);
  expect(items).toMatchObject([
    { state: 'running', lastWords: expect.stringMatching(/./) as string, owner: { task: second } },
  ]);
  expect((await cli.run(['session', 's'])).stdout).toMatch(
    new RegExp(`1\\. ${third}  waiting  x\\n +2\\. ${first}  preempted`),
  );
});

test('a task that asks says so, and gives the command that answers it', async () => {
  await using cli = new Cli();
  await cli.up();
  const task = await send(cli, 'my app', '[[ask:build it]]', '--permissions', 'ask');
  await until(cli, task, /permission-requested/);
  expect(await states(cli, 'my app')).toEqual(['asking']);
  expect(await cli.json(['explain', task])).toMatchObject({ state: 'asking' });
  for (const shown of [await cli.run(['task', task]), await cli.run(['explain', task])]) {
    expect(shown.stdout).toMatch(/shell: build it\n +→ signalbox approve 'my app' r1, or deny/);
  }
  expect((await cli.run(['sessions'])).stdout).toMatch(/^my app +asking /m);
  expect((await cli.run(['approve', task.slice(0, 13)])).code).toBe(0);
});

test('a failed task says why in the words of its agent, and a later one that it is throttled', async () => {
  await using cli = new Cli();
  await cli.up(['--agent', 'scripted']);
  const failed = await send(cli, 's', '[[api:401]]');
  await until(cli, failed, /"type":"final"/);
  const later = await send(cli, 's', 'later');
  expect(await states(cli, 's')).toEqual(['throttled', 'failed']);
  expect((await cli.run(['sessions'])).stdout).toMatch(/^s +throttled /m);
  const shown = (await cli.run(['task', failed])).stdout;
  expect(shown).toMatch(/^state +failed \(auth: the agent has no login/m);
  expect(shown).toMatch(/^why +.*401/m);
  expect((await cli.run(['tasks'])).stdout).toMatch(/ failed .* auth: .*401.* · \[\[api:401\]\]/);
  expect((await cli.run(['explain', later])).stdout).toMatch(/^throttle +all work waits: auth/m);
});

test('a task whose agent died says what it said last', async () => {
  await using cli = new Cli();
  await cli.up();
  const task = await send(cli, 's', '[[text:one\ntwo\nthree\nfour]] [[die]]', '--max-attempts', '1');
  await until(cli, task, /"type":"final"/);
  const shown = (await cli.run(['task', task])).stdout;
  expect(shown).toMatch(/^state +failed \(agent_lost: the agent ended during its turn\)/m);
  expect(shown).toMatch(/its agent said last: two\n +three\n +four/);
});

test('task and explain name the hang report of a session whose agent is silent', async () => {
  await using cli = new Cli();
  writeFileSync(join(cli.folder, 'signalbox.config.ts'), 'export default { limits: { agentQuietMs: 300 } };');
  await cli.up();
  const task = await send(cli, 's', '[[silent]]');
  const tail = cli.spawn(['tail', 's', '--session', '--after', '0', '--json']);
  await saying(tail, /hang-reported/);
  tail.kill();
  const { items } = await cli.json(['hangs']);
  const [{ id = '' } = {}] = items as readonly { readonly id?: string }[];
  for (const shown of [await cli.run(['task', task]), await cli.run(['explain', task])]) {
    expect(shown.stdout).toContain(`→ signalbox hangs ${id}`);
  }
});

test('a task is named by the beginning of its id, and an ambiguous one is listed', async () => {
  await using cli = new Cli();
  await cli.up();
  const first = await send(cli, 'a', 'one');
  const second = await send(cli, 'b', 'two');
  const length = Array.from(first).findIndex((letter, at) => letter !== second[at]) + 1;
  const short = first.slice(0, length);
  for (const words of [['task'], ['explain'], ['cancel'], ['tail']]) {
    const ran = await cli.run([...words, short, '--json']);
    expect([words, ran.stderr, ran.code]).toEqual([words, '', 0]);
  }
  const several = await cli.run(['task', first.slice(0, length - 1)]);
  expect(several.code).toBe(2);
  expect(several.stderr).toContain(`  ${first}  one`);
  expect(several.stderr).toContain(`  ${second}  two`);
});

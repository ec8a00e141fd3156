/** The commands for a person who looks after a daemon, or talks with a session. */
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { displayWidth } from '../../src/cli/output/width.ts';
import { dataFiles } from '../../src/protocol/folder.ts';
import { Cli, ended, saying } from '../support/cli.ts';

/** Standard output looks like a terminal of so many columns. */
const terminal = (columns: number): readonly string[] => [
  '--import',
  `data:text/javascript,Object.assign(process.stdout,{isTTY:true,columns:${columns},rows:24})`,
];

const send = async (cli: Cli, ...words: readonly string[]): Promise<string> =>
  String((await cli.json(['send', ...words]))['task']);

async function until(cli: Cli, task: string, what: RegExp): Promise<void> {
  const tail = cli.spawn(['tail', task, '--json']);
  await saying(tail, what);
  tail.kill();
}

const key = 'github:acme-incorporated/a-repository-with-a-long-name#1234';

test('status shows on one screen who works on what, what asks, and what waits; no listing is wider than the terminal', async () => {
  await using cli = new Cli();
  await cli.up();
  const owner = await send(cli, key, '漢字 の説明を書く [[text:so far]] [[forever:20]]');
  await until(cli, owner, /"type":"output"/);
  await send(cli, key, 'x'.repeat(300), '--lane', 'background');
  const asks = await send(cli, 'two', '[[ask:make it]]', '--permissions', 'ask');
  await until(cli, asks, /permission-requested/);
  const plain = (await cli.run(['status'])).stdout;
  expect(plain).toMatch(/^http:\/\/127\.0\.0\.1:\d+: 3 open tasks of at most \d+; sessions: 2, 0 free$/m);
  expect(plain).toMatch(/^two +asking +\d+ m?s/m);
  expect(plain).toMatch(new RegExp(`^${key} +running .* 1 +漢字 の説明を書く`, 'm'));
  expect(plain).toContain('→ signalbox approve two r1, or deny');
  const lists = [
    ['status'],
    ['tasks'],
    ['sessions'],
    ['session', key],
    ['permissions'],
    ['providers'],
    ['task', owner],
    ['explain', owner],
    ['hangs'],
    ['nodes'],
    ['token', 'list'],
    ['doctor'],
  ];
  for (const columns of [80, 200]) {
    for (const words of lists) {
      const ran = await cli.run(words, { node: terminal(columns), env: { NO_COLOR: '1' } });
      expect([words, ran.code === 0 || words[0] === 'doctor']).toEqual([words, true]);
      for (const line of ran.stdout.split('\n')) {
        // A path that is longer than the room for it stays whole, so that it can be copied.
        const isPath = words[0] === 'doctor' && line.split(' ').some((word) => word.length > 40);
        expect(isPath ? 0 : displayWidth(line), `${words.join(' ')}: ${line}`).toBeLessThanOrEqual(columns);
      }
    }
  }
  const watch = cli.spawn(['status', '--watch'], { node: terminal(80), env: { NO_COLOR: '1' } });
  await saying(watch, /asking/);
  const free = saying(watch, /No task is open/);
  await cli.json(['stop', key, '--scope', 'session']);
  await cli.json(['stop', 'two', '--scope', 'session']);
  await free;
  watch.kill();
});

test('attach sends each line as a task, shows the answers, and ends when they have ended', async () => {
  await using cli = new Cli();
  await cli.up();
  const lines = ['[[text:first answer]]', '[[text:one]] \\', 'and more', '/nonsense', '[[ask:make it]]'];
  const child = cli.spawn(['attach', 'talk', '--permissions', 'ask'], { input: `${lines.join('\n')}\n` });
  const over = ended(child);
  await saying(child, /approve/);
  await cli.json(['approve']);
  const { code, stdout, stderr } = await over;
  expect(code).toBe(0);
  expect(stdout).toContain('first answer\n■ completed after');
  expect(stdout).not.toContain('❯');
  expect(stderr).toMatch(/talk is a new session[^]*There is no \/nonsense/);
  const { items } = await cli.json(['tasks']);
  const prompts = await Promise.all(
    (items as readonly { readonly id: string }[]).map(async ({ id }) => (await cli.json(['task', id]))['prompt']),
  );
  expect(prompts).toEqual(['[[ask:make it]]', '[[text:one]] \nand more', '[[text:first answer]]']);
  const failed = await cli.run(['attach', 'other'], { input: '[[fail:no luck]]\n' });
  expect([failed.code, failed.stdout]).toEqual([1, expect.stringContaining('■ failed') as string]);
});

test('logs shows what the daemon has logged, for a person or as JSON, also when no daemon runs', async () => {
  await using cli = new Cli();
  const up = await cli.up();
  const file = join(cli.data, dataFiles.log);
  expect((await cli.run(['logs', '--json'])).stdout).toBe(readFileSync(file, 'utf8'));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const follow = cli.spawn(['logs', '--follow', '--lines', '1']);
  await saying(follow, /./);
  const more = saying(follow, /error +it broke: of glass cause=7/);
  appendFileSync(file, '{"level":50,"time":1790000000000,"msg":"it broke:","err":{"message":"of glass"},"cause":7}\n');
  await more;
  follow.kill();
  up.child.kill('SIGTERM');
  await up.ended;
  expect((await cli.run(['logs'])).stdout).toMatch(
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d info +ready url=http.*\n(?:.*\n)*.* info +closed$/m,
  );
  const none = await cli.run(['logs', '--data', 'none']);
  expect([none.code, none.stderr]).toEqual([6, expect.stringContaining('signalbox up --data none') as string]);
});

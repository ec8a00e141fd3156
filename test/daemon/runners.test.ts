/** Code runners of the configuration, from the file to the end of a task, with a real daemon. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../src/daemon/config/resolve.ts';
import { configuredRunners, loadRunners } from '../../src/daemon/runners.ts';
import { signStandardDelivery } from '../../src/gateways/standard-webhooks/hook.ts';
import { signDelivery } from '../../src/gateways/github/signature.ts';
import { recordedDeliveries } from '../../src/gateways/github/recorded/index.ts';
import { createClient } from '../../src/client/index.ts';
import { tokenIn } from '../../src/cli/target.ts';
import { Cli } from '../support/cli.ts';

const example = fileURLToPath(new URL('../../examples/signalbox.config.ts', import.meta.url));
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const githubSecret = 'at least eight characters';

/** Two turns, and what came with the task. */
const working = `
import type { Runner } from 'signalbox';
import { AppError } from 'signalbox';
if (typeof AppError !== 'function') throw new Error('this is another signalbox');
const two: Runner = async ({ prompt, input, hold }) => {
  const first = await hold.turn('first of ' + prompt);
  await hold.progress({ done: 1 });
  const second = await hold.turn('second of ' + prompt);
  return { outcomes: [first.outcome, second.outcome], input };
};
export default two;
export const named: Runner = async () => 'by its name';
export const failing: Runner = async () => { throw new Error('out of luck'); };
export const notOne = 7;
`;

function write(cli: Cli, files: { readonly [name: string]: string }): string {
  mkdirSync(join(cli.folder, 'project/lib'), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(cli.folder, 'project', name), text);
  }
  return join(cli.folder, 'project/signalbox.config.ts');
}

const configOf = (runners: object, more: object = {}): string =>
  `export default ${JSON.stringify({ agent: { name: 'scripted' }, runners, ...more })}`;

const all = {
  two: './lib/work.ts',
  named: { module: 'lib/work.ts', export: 'named' },
  failing: { module: 'lib/work.ts', export: 'failing' },
};

describe('the runners of the configuration', () => {
  test('run for the command line, for a webhook rule and for a GitHub rule, and `up` and `doctor` name them', async () => {
    await using cli = new Cli();
    const config = write(cli, {
      'lib/work.ts': working,
      'signalbox.config.ts': configOf(all, {
        hooks: { alerts: { secret, session: 's', prompt: 'an alert', runner: 'two' } },
        github: { secret: githubSecret, rules: [{ like: 'comment', runner: 'two' }] },
      }),
    });
    const { ready } = await cli.up(['--config', config]);
    expect(ready).toMatchObject({ runners: ['two', 'named', 'failing'] });
    const sent = await cli.json(['send', 's', 'the work', '--runner', 'two', '--input', '{"n":1}', '--wait']);
    expect(sent).toMatchObject({
      status: 'completed',
      final: { result: { outcomes: ['completed', 'completed'], input: { n: 1 } } },
    });
    const client = createClient({ baseUrl: ready.url, token: tokenIn(cli.data) });
    const post = async (
      path: string,
      request: { readonly headers: object; readonly body: string },
    ): Promise<string> => {
      const response = await fetch(ready.url + path, {
        method: 'POST',
        headers: { ...request.headers },
        body: request.body,
      });
      expect(response.status).toBe(202);
      return ((await response.json()) as { readonly task: string }).task;
    };
    const [comment] = recordedDeliveries;
    const tasks = [
      await post(
        '/hooks/alerts',
        signStandardDelivery({ secret, id: 'm1', sentAt: new Date(), payload: { type: 't' } }),
      ),
      await post('/hooks/github', await signDelivery({ ...comment, delivery: 'd1', secret: githubSecret })),
      (await client.submit({ session: 's', prompt: '', runner: 'named' })).task,
      (await client.submit({ session: 's', prompt: '', runner: 'failing' })).task,
    ];
    const ended = await Promise.all(
      tasks.map(async (task) => {
        for await (const event of client.follow(task)) {
          if (event.type === 'final') {
            return event.data;
          }
        }
        return null;
      }),
    );
    expect(ended).toMatchObject([
      { status: 'completed', result: { outcomes: ['completed', 'completed'], input: { type: 't' } } },
      { status: 'completed', result: { outcomes: ['completed', 'completed'] } },
      { status: 'completed', result: 'by its name' },
      { status: 'failed', reason: 'runner_failed', result: { error: { message: 'out of luck' } } },
    ]);
    const unknown = await cli.run(['send', 's', 'p', '--runner', 'nobody']);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('Name its module in `runners`')]);
    const { stdout } = await cli.run(['doctor', '--config', config]);
    expect(stdout).toMatch(/✓ runners +two, named, failing/);
  });

  test.each<readonly [what: string, runners: object, more: object, said: readonly string[]]>([
    [
      'a file that does not exist',
      { two: './nowhere.ts' },
      {},
      ['runners.two: there is no file', 'project/nowhere.ts'],
    ],
    [
      'a module that throws',
      { two: './lib/throws.ts' },
      {},
      ['runners.two: ', 'lib/throws.ts could not be loaded: Error: no database'],
    ],
    ['a module that is not TypeScript', { two: './lib/syntax.ts' }, {}, ['could not be loaded: SyntaxError']],
    [
      'an export that does not exist',
      { two: { module: './lib/work.ts', export: 'tow' } },
      {},
      ['has no function as its export tow', 'It exports default, failing, named.'],
    ],
    [
      'an export that is not a function',
      { two: { module: './lib/work.ts', export: 'notOne' } },
      {},
      ['has no function as its export notOne'],
    ],
    [
      'no default export',
      { two: './lib/empty.ts' },
      {},
      ['has no function as its default export', 'It exports no function.'],
    ],
    [
      'a hook that names another runner',
      all,
      { hooks: { alerts: { secret, session: 's', prompt: 'p', runner: 'tow' } } },
      ['hooks.alerts.runner: there is no code runner "tow"', 'Did you mean `two`?'],
    ],
    [
      'a GitHub rule that names another runner',
      all,
      { github: { secret: githubSecret, rules: [{ like: 'review' }, { like: 'comment', runner: 'nightly' }] } },
      ['github.rules[1].runner: there is no code runner "nightly"', 'There are: two, named, failing.'],
    ],
    [
      'a rule that names a runner where none is configured',
      {},
      { hooks: { alerts: { secret, session: 's', prompt: 'p', runner: 'two' } } },
      ['hooks.alerts.runner', 'No runner is configured.'],
    ],
    ['a name that cannot be one', { 'a b': './lib/work.ts' }, {}, ['runners']],
  ])('a start is refused for %s', async (_what, runners, more, said) => {
    await using cli = new Cli();
    const config = write(cli, {
      'lib/work.ts': working,
      'lib/throws.ts': "throw new Error('no database');\n",
      'lib/syntax.ts': 'export default async function (\n',
      'lib/empty.ts': 'export {};\n',
      'signalbox.config.ts': configOf(runners, more),
    });
    const { code, stderr } = await cli.run(['up', '--json', '--port', '0', '--config', config]);
    const line =
      stderr
        .trimEnd()
        .split('\n')
        .find((one) => one.includes('"error"')) ?? '{}';
    const { error } = JSON.parse(line) as {
      readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
    };
    expect([code, error?.code]).toEqual([2, 'bad_config']);
    for (const text of said) {
      expect(`${error?.message} ${error?.hint}`).toContain(text);
    }
    const doctor = await cli.run(['doctor', '--config', config]);
    expect(doctor.code).toBe(1);
  });

  test('a module that does not end its loading is refused at the deadline', async () => {
    await using cli = new Cli();
    write(cli, { 'lib/slow.ts': 'await new Promise(() => {});\nexport default async () => null;\n' });
    const place = { module: join(cli.folder, 'project/lib/slow.ts'), export: 'default' };
    await expect(loadRunners({ slow: place }, 50)).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringContaining('it is not over after 50 ms'),
    });
  });

  test('the page shows a runner and a configuration that work', async () => {
    await using cli = new Cli();
    const page = readFileSync(new URL('../../docs/runners.md', import.meta.url), 'utf8');
    const [runner = '', config = ''] = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);
    mkdirSync(join(cli.folder, 'project/runners'), { recursive: true });
    const file = write(cli, {
      'runners/review.ts': runner,
      'runners/jobs.ts': 'export const nightly = async () => null;\n',
      // The name is known in a daemon (`config.test.ts`), and not in every worker of the tests.
      'signalbox.config.ts': config.replace("'signalbox'", `'${new URL('../../src/index.ts', import.meta.url).href}'`),
    });
    const resolved = await resolveConfig({ file, environment: {}, flags: [] });
    expect(Object.keys(await configuredRunners(resolved))).toEqual(['review', 'nightly']);
  });

  test('the example is loaded by its configuration', async () => {
    const resolved = await resolveConfig({ file: example, environment: {}, flags: [] });
    expect(Object.keys(await configuredRunners(resolved))).toEqual(['review']);
  });
});

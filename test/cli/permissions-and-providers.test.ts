/** Answering agents and looking after providers, as a person does it: real processes against a real daemon. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/core/error-codes.ts';
import { Cli, ended, saying } from '../support/cli.ts';

/** Asks for what its prompt names, or fails as its prompt says. */
const agent = `
export default async function* (prompt, context) {
  const words = prompt.split('\\n').at(-1).split(' ');
  if (words[0] === 'fail') {
    const failure = { class: words[1], status: 429, message: 'slow down', retryAfterMs: 3600000 };
    return globalThis.failed === undefined ? ((globalThis.failed = true), { failure }) : 'done';
  }
  yield 'asking';
  const said = [];
  for (const word of words) {
    const title = word + ' it';
    const { allow, note } = await context.requestPermission({ kind: 'execute', tool: 'Bash', title }, { detail: { command: word } });
    said.push(word + '=' + allow + (note === null ? '' : '(' + note + ')'));
  }
  return said.join(' ') + (context.model === null ? '' : ' by ' + context.model);
}
`;

let cli: Cli;

beforeAll(async () => {
  cli = new Cli();
  writeFileSync(join(cli.folder, 'agent.mjs'), agent);
  const config = "export default { agent: { name: 'function', module: './agent.mjs', provider: 'acme' } };\n";
  writeFileSync(join(cli.folder, 'signalbox.config.ts'), config);
  await cli.up();
});

afterAll(async () => {
  await cli[Symbol.asyncDispose]();
});

/** A background task, at the moment when it asks. */
async function asking(session: string, prompt: string, ...flags: readonly string[]): Promise<string> {
  const task = String((await cli.json(['send', session, '--lane', 'background', ...flags, prompt]))['task']);
  const child = cli.spawn(['tail', task, '--raw']);
  await saying(child, /permission-requested/);
  child.kill('SIGKILL');
  return task;
}

const result = async (task: string): Promise<string> => (await cli.run(['tail', task, '--raw'])).stdout.trimEnd();

describe('permissions', () => {
  test('are listed, approved by session, and denied with a reason; the tape names the person', async () => {
    const first = await asking('one', 'build');
    const second = await asking('two', 'publish');
    const listed = await cli.run(['permissions']);
    expect(listed.stdout).toMatch(/one\s+\S+\s+ask-1\s+.*Bash: build it\s+execute/);
    expect(listed.stdout).toMatch(/two\s+\S+\s+ask-1\s+.*Bash: publish it/);
    const { items } = (await cli.json(['permissions', second])) as { items: { detail: unknown }[] };
    expect(items.map(({ detail }) => detail)).toEqual([{ command: 'publish' }]);
    expect((await cli.run(['session', 'one'])).stdout).toMatch(
      /Bash: build it\n +→ signalbox approve one ask-1, or deny/,
    );
    expect((await cli.run(['explain', first])).stdout).toContain('waits for a person to answer a permission request');

    const two = await cli.run(['approve']);
    expect([two.code, two.stdout]).toEqual([exitCodes.usage, '']);
    expect(two.stderr).toContain('2 permission requests are pending');
    expect((await cli.run(['approve', 'one', 'ask-1', '--by', 'ann'])).stdout).toContain(
      'allowed one ask-1  Bash: build it',
    );
    // The only one that is left.
    expect((await cli.run(['deny', '--reason', 'not today'])).stdout).toContain('denied two ask-1');
    expect(await result(first)).toContain('build=true');
    const tape = await result(second);
    expect(tape).toContain('publish=false(not today)');
    expect(tape).toMatch(/permission-requested ask-1 Bash: publish it \(execute\)/);
    expect(tape).toMatch(/permission-resolved ask-1 deny by tester: not today/);
    expect(await result(first)).toMatch(/permission-resolved ask-1 allow by ann/);
    const none = await cli.run(['approve', 'one']);
    expect([none.code, none.stderr]).toEqual([
      exitCodes.refused,
      expect.stringContaining('no permission request is pending'),
    ]);
  });

  test('are approved all at once only with the flag that says so', async () => {
    const tasks = [await asking('three', 'a'), await asking('four', 'b')];
    expect((await cli.run(['approve', '--all'])).code).toBe(0);
    for (const task of tasks) {
      expect(await result(task)).toContain('=true');
    }
  });

  test('that a task brings with it apply to it alone, and so does its model', async () => {
    const flags = ['--permissions', 'read-only', '--allow', 'Bash(build it)', '--model', 'large'];
    const sent = await cli.run(['send', 'five', '--wait', ...flags, 'build publish']);
    // The answer of a turn is all that its agent said in it.
    const why = 'The policy of the task is read-only, and none of its rules allows this.';
    expect(sent.stdout.trim()).toBe(`asking\n\nbuild=true publish=false(${why}) by large`);
    expect(sent.stderr).toContain(
      `denied by policy: Bash: publish it. ${why} Allow it with --permissions ask --allow "Bash(publish it)".`,
    );
    const { items } = (await cli.json(['tasks', '--session', 'five'])) as { items: { id: string }[] };
    const shown = await cli.run(['task', items[0]?.id ?? '']);
    expect(shown.stdout).toMatch(/model\s+large/);
    expect(shown.stdout).toMatch(/permissions\s+read-only; allow Bash\(build it\)/);
    const wrong = await cli.run(['send', 'five', '--allow', 'edit', 'x']);
    expect([wrong.code, wrong.stderr]).toEqual([exitCodes.usage, expect.stringContaining('need --permissions')]);
  });
});

describe('providers', () => {
  test('show what failed and until when, and are resumed', async () => {
    expect((await cli.run(['providers'])).stdout).toMatch(/acme\s+function\s+free\s+0/);
    const child = cli.spawn(['send', 'six', '--follow', '--json', 'fail rate_limit']);
    const end = ended(child);
    const [first = ''] = (await saying(child, /"turn-retried"/)).split('\n');
    const receipt = JSON.parse(first) as { readonly task: string };
    const listed = await cli.run(['providers']);
    expect(listed.stdout).toMatch(/acme\s+function\s+throttled, (?:59 min|1 h) more\s+rate_limit\s+1\s+429 slow down/);
    const explained = await cli.run(['explain', receipt.task]);
    expect(explained.stdout).toMatch(/All work of the session is throttled \(rate_limit.*until /);
    expect(explained.stdout).toMatch(/throttle deadline in/);
    expect((await cli.run(['session', 'six'])).stdout).toMatch(/throttle\s+all work waits: rate_limit/);
    expect((await cli.run(['providers', 'resume', 'acme'])).stdout).toContain('acme is no longer throttled');
    expect((await end).code).toBe(0);
    const again = await cli.run(['providers', 'resume', 'acme']);
    expect(again.code).toBe(exitCodes.refused);
    expect((await cli.run(['providers', 'resume', 'other'])).code).toBe(exitCodes.notFound);
  });
});

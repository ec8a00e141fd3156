/** One list says what a task can be asked to be. Every door takes each of its fields, and every view shows it. */
import { describe, expect, test } from 'vitest';
import { Call } from '../../src/cli/call.ts';
import { parse } from '../../src/cli/parse.ts';
import { taskFieldsOf } from '../../src/cli/task-flags.ts';
import { GithubRuleSchema } from '../../src/gateways/github/config.ts';
import { HookConfigSchema } from '../../src/gateways/standard-webhooks/config.ts';
import {
  fullTaskSpec,
  SubmitRequestSchema,
  taskFields,
  type TaskSpec,
  TaskViewSchema,
  validate,
} from '../../src/protocol/index.ts';
import { payloadOf } from '../../src/store/rules.ts';
import { openDoor } from '../support/door.ts';

/** No field has its default here. */
const chosen: TaskSpec = {
  prompt: 'p',
  lane: 'background',
  mode: 'external',
  whenBusy: 'collect',
  priority: 7,
  runner: null,
  input: { depth: 2 },
  source: 's',
  rights: 'r',
  author: 'ada',
  onLost: 'fail',
  maxAttempts: 5,
  conversation: 'fresh',
  expiresIn: 60_000,
  model: 'm',
  agent: 'function',
  permissions: { mode: 'ask', allow: ['edit'], deny: ['Bash'] },
  labels: { a: 'b' },
};

describe('every field of a task', () => {
  test('is accepted over HTTP, stored, and shown', async () => {
    await using door = await openDoor();
    const { task } = await door.client.submit({ session: 's', ...chosen });
    expect(await door.client.task(task)).toMatchObject(chosen);
    const shown = await door.client.task(task);
    expect(validate(TaskViewSchema, shown)).toMatchObject({ ok: true });
  });

  test('has the same default over HTTP, in the library and in the store', async () => {
    await using door = await openDoor();
    const { task } = await door.client.submit({ session: 's', prompt: 'p' });
    const full = fullTaskSpec({ prompt: 'p' });
    expect(await door.client.task(task)).toMatchObject(full);
    const { requestDigest: _, ...stored } = payloadOf({ prompt: 'p' });
    expect(full).toMatchObject(stored);
    expect(fullTaskSpec({ prompt: 'p', lane: 'background' }).whenBusy).toBe('enqueue');
  });

  test('is a key of the request, the view and the webhook rules', () => {
    for (const schema of [SubmitRequestSchema, TaskViewSchema]) {
      expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining([...taskFields]));
    }
    // The input of a code runner is the payload of the delivery itself.
    const fields = taskFields.filter((field) => field !== 'input');
    for (const schema of [GithubRuleSchema, HookConfigSchema]) {
      expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(fields));
    }
  });

  test('has a flag of the command line', () => {
    const flags =
      '--lane background --mode external --when-busy collect --priority 7 --input {"depth":2} --source s --rights r --author ada --on-lost fail --max-attempts 5 --conversation fresh --expires-in 60000 --model m --agent function --permissions ask --allow edit --deny Bash --label a=b';
    const parsed = parse(['send', 's', 'p', ...flags.split(' ')]);
    const call = parsed.kind === 'run' ? parsed.call : null;
    expect(call).toBeInstanceOf(Call);
    const { prompt: _prompt, runner: _runner, ...expected } = chosen;
    expect(call === null ? null : taskFieldsOf(call)).toEqual(expected);
  });
});

/** Who is made to wait for whom: persons and machines that write to one session, over real HTTP. */
import { describe, expect, test } from 'vitest';
import { githubHook } from '../../src/gateways/github/hook.ts';
import type { GithubConfigInput } from '../../src/gateways/github/config.ts';
import { recordedDeliveries } from '../../src/gateways/github/recorded/index.ts';
import { signDelivery } from '../../src/gateways/github/signature.ts';
import { expectSound, openBox } from '../support/box.ts';
import { config, example, sharedSecret } from '../support/deliveries.ts';
import { openDoor } from '../support/door.ts';

const session = 'github:Codertocat/Hello-World';
const [comment, , check] = recordedDeliveries;

const failedRun = (): unknown => {
  const payload = example('workflow_run', 'completed');
  const run = payload['workflow_run'] as { readonly head_repository: object };
  Object.assign(run, { conclusion: 'failure' });
  Object.assign(run.head_repository, { id: (payload['repository'] as { readonly id: number }).id });
  return payload;
};

const byBot = (payload: unknown): unknown => {
  const written = structuredClone(payload) as { readonly sender: object };
  Object.assign(written.sender, { login: 'review-robot[bot]', type: 'Bot' });
  return written;
};

/** GitHub, a daemon's HTTP server and its runtime. `deliver` gives the id of the task that the delivery has become. */
async function openGithub(more: Partial<GithubConfigInput> = {}) {
  const one = await openBox();
  const door = await openDoor(
    { server: { hooks: [githubHook({ box: one.box, config: config(more) })] } },
    { box: one, port: 0 },
  );
  let deliveries = 0;
  const deliver = async (event: string, payload: unknown): Promise<string> => {
    deliveries += 1;
    const sent = await signDelivery({ event, delivery: `machines-${deliveries}`, payload, secret: sharedSecret });
    const response = await fetch(`${door.url}/hooks/github`, { method: 'POST', ...sent });
    expect(response.status).toBe(202);
    return ((await response.json()) as { readonly task: string }).task;
  };
  return { one, deliver, [Symbol.asyncDispose]: () => door[Symbol.asyncDispose]() };
}

describe('G07: a machine waits for persons', () => {
  test.each([
    ['a failed check', check.event, check.payload],
    ['a failed workflow', 'workflow_run', failedRun()],
  ])('a comment interrupts the repair of %s, which resumes afterwards', async (_title, event, payload) => {
    await using github = await openGithub();
    const { one, deliver } = github;
    // The two example payloads are of different repositories.
    const at = (payload as { readonly repository: { readonly full_name: string } }).repository;
    const asked = structuredClone(comment.payload) as { repository: object };
    asked.repository = at;
    const repair = await deliver(event, payload);
    const turn = await one.stage.turn();
    turn.say('I look for the cause');
    await one.event(repair, 'output');
    const answer = await deliver(comment.event, asked);
    await turn.interrupted;
    const answering = await one.stage.turn();
    expect(answering.prompt).toContain('> The greeting misspells');
    answering.finish('answered');
    expect(await one.ended(answer)).toMatchObject({ status: 'completed' });
    (await one.stage.turn()).finish('mended');
    expect(await one.ended(repair)).toMatchObject({ status: 'completed', row: { lane: 'background' } });
    expect(await one.types(repair)).toEqual(expect.arrayContaining(['preempted', 'resumed']));
    for (const task of [answer, repair]) {
      expectSound(await one.ended(task), await one.tape(task));
    }
  });

  test('a failed check does not interrupt, and goes before the background work that waits', async () => {
    await using github = await openGithub();
    const { one, deliver } = github;
    const running = await one.background({ session, prompt: 'the running work' });
    const turn = await one.stage.turn();
    const waiting = await one.background({ session, prompt: 'the waiting work' });
    const asked = await one.background({ session, prompt: 'a review that a person has asked for', priority: 10 });
    const repair = await deliver(check.event, check.payload);
    expect(turn.context.signal.aborted).toBe(false);
    turn.finish();
    const prompts: string[] = [];
    for (const task of [repair, asked, waiting]) {
      const next = await one.stage.turn();
      prompts.push(next.prompt);
      next.finish();
      expect(await one.ended(task)).toMatchObject({ status: 'completed' });
    }
    expect(prompts).toEqual([
      expect.stringContaining('ended as failure'),
      'a review that a person has asked for',
      'the waiting work',
    ]);
    expect(await one.types(running)).not.toContain('preempted');
  });

  test('a comment of another bot waits in the background lane, unless a rule says that it is urgent', async () => {
    await using calm = await openGithub();
    const robots = await calm.deliver(comment.event, byBot(comment.payload));
    expect(await calm.one.box.task(robots)).toMatchObject({ row: { lane: 'background' } });
    const persons = await calm.deliver(comment.event, comment.payload);
    expect(await calm.one.box.task(persons)).toMatchObject({ row: { lane: 'interactive' } });

    await using urgent = await openGithub({ rules: [{ like: 'comment', lane: 'interactive' }] });
    const task = await urgent.deliver(comment.event, byBot(comment.payload));
    expect(await urgent.one.box.task(task)).toMatchObject({ row: { lane: 'interactive' } });
  });
});

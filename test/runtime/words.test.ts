/** The words that an agent reads when its turn is continued. */
import { describe, expect, it } from 'vitest';
import { promptText } from '../../src/runtime/agent/prompts.ts';
import { openBox } from '../support/box.ts';
import { RememberingAgent } from '../support/remembering-agent.ts';

const text = `Tidy the archive of the year before last. ${'It is long. '.repeat(5_000)}`;

describe('a prompt that is continued', () => {
  it('is in the conversation once after three preemptions, and each of the notes names it', async () => {
    const agent = new RememberingAgent();
    await using one = await openBox({ agent: agent.driver });
    const task = await one.background({ prompt: text });
    for (const [round, urgent] of ['first', 'second', 'third'].entries()) {
      const turn = await agent.turn();
      turn.start();
      turn.say();
      await one.event(task, 'output', ({ data }) => data.turn === 2 * round + 1);
      const other = await one.send({ prompt: urgent });
      await turn.interrupted;
      turn.stop();
      (await agent.turn()).answer();
      await one.ended(other);
    }
    (await agent.turn()).answer();
    expect(await one.ended(task)).toMatchObject({ status: 'completed' });
    expect(agent.prompts.map((prompt) => (prompt === text ? 'text' : prompt.length < 400 ? 'short' : 'long'))).toEqual([
      'text',
      ...Array.from({ length: 6 }, () => 'short'),
    ]);
    expect(agent.prompts.at(-1)).toBe(
      '[signalbox] Your turn on this task was interrupted. Continue from where it stopped. The task is the one above that begins with “Tidy the archive of the year before last. It is long. It is…” and ends with “…long. It is long. It is long.”.',
    );
  });

  it('says that a tool call which was cut off may have happened, whatever a note of the agent says', async () => {
    const agent = new RememberingAgent();
    await using one = await openBox({ agent: agent.driver });
    const task = await one.background({ prompt: 'sleep' });
    const turn = await agent.turn();
    turn.start();
    turn.tool('started');
    await one.event(task, 'output');
    const other = await one.send({ prompt: 'urgent' });
    await turn.interrupted;
    turn.tool('failed');
    turn.stop();
    (await agent.turn()).answer();
    await one.ended(other);
    const resumed = await agent.turn();
    expect(resumed.prompt).toBe(
      '[signalbox] An earlier turn on this task was interrupted. Its last tool call may or may not have happened, and a note in this conversation that it was not executed may be wrong: check before you repeat it. Continue from where it stopped. The task is the one above that begins with “sl…” and ends with “…p”.',
    );
    resumed.answer();
    await one.ended(task);
  });

  it.each([
    ['run [[tool:Bash:{"command":"sleep 1"}]] now', ' that begins with “run…” and ends with “…now”'],
    ['Review pull request 41', ' that begins with “Review pull…” and ends with “…st 41”'],
    ['Review pull request 42', ' that begins with “Review pull…” and ends with “…st 42”'],
    ['Mend this.\n\nIn acme/app, issue 7', ' that begins with “Mend this.…” and ends with “…issue 7”'],
    ['{"json": true}', ''],
    ['ja', ' that begins with “j…”'],
    ['', ''],
  ])('names %j by plain words, and never by the whole of it', (prompt, which) => {
    const known = { resumed: true, retried: false, cut: false, delivered: true, reset: null };
    const words = promptText({ text: prompt, author: null, merged: [], ...known });
    expect(words).toMatch(/^\[signalbox\] Your turn on this task was interrupted/);
    expect(words.endsWith(`The task is the one above${which}.`)).toBe(true);
  });

  it('is whole again after its agent has died', async () => {
    const agent = new RememberingAgent();
    await using one = await openBox({ agent: agent.driver });
    const task = await one.background({ prompt: 'count' });
    const turn = await agent.turn();
    turn.start();
    await one.event(task, 'turn-started');
    turn.die();
    const again = await agent.turn();
    expect(again.prompt).toMatch(/Continue from where it stopped\. The task was:\n\ncount$/);
    again.answer();
    await one.ended(task);
  });
});

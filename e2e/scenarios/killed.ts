/** The agent is killed in mid-turn: the task goes on in another process, which knows the conversation. */
import assert from 'node:assert/strict';
import { processesOf } from '../processes.ts';
import type { Scenario, Scene } from './scenario.ts';
import { Skipped, continuedTurnOf, ended, goesOnWith, knows, turnOf, word } from './scenario.ts';

/** The agents with this home: what they have started themselves is left out, though it may lead a group of its own. */
function agentsOf(home: string): readonly number[] {
  const found = processesOf(home).filter(({ ofAgent }) => ofAgent);
  const pids = new Set(found.map(({ pid }) => pid));
  return found.flatMap(({ pid, parent, group }) => (pid === group && !pids.has(parent) ? [pid] : []));
}

const minuteMs = 60_000;
const minuteOf = (at: number): number => Math.floor(at / minuteMs);

/** Resolves in another minute of the clock than the one in which `at` lies. */
async function minuteAfter(at: number): Promise<void> {
  while (minuteOf(Date.now()) === minuteOf(at)) {
    await new Promise((resolve) => setTimeout(resolve, minuteMs - (Date.now() % minuteMs) + 1));
  }
}

async function run({ setup, daemon, figures, patient }: Scene): Promise<void> {
  if (process.platform !== 'linux') {
    throw new Skipped('the agent’s process is found in /proc');
  }
  const { model, program, home } = setup;
  const { client, events } = daemon;
  const session = 'killed';
  const [memory, work, finished] = [word('memory'), word('work'), word('finished')];
  model.rule({ when: goesOnWith(work), play: `[[text:${finished}]]` });
  const others = agentsOf(home);
  const first = await client.submit({ session, prompt: `Remember ${memory}. [[text:noted]]` });
  await ended(daemon, first.task, 'completed', 60_000);
  const begunAt = Date.now();
  const [agent, ...more] = agentsOf(home).filter((pid) => !others.includes(pid));
  assert.ok(agent !== undefined && more.length === 0, `one agent: ${agent} ${more.join(' ')}`);

  const background = await client.submit({ session, lane: 'background', prompt: `Do ${work}: [[slow:4800,25]]` });
  const request = await model.log.next('request', turnOf(work));
  await events.next('a piece', ({ task, type }) => task === background.task && type === 'output');
  if (program.forgetsWithinMinute && patient) {
    await minuteAfter(begunAt);
  }
  const mayForget = program.forgetsWithinMinute === true && minuteOf(Date.now()) === minuteOf(begunAt);
  const killedAt = performance.now();
  process.kill(agent, 'SIGKILL');
  await model.log.next('closed', ({ no }) => no === request.no);
  const again = await model.log.next('request', continuedTurnOf(work), { deadlineMs: 60_000 });
  figures.add(program.name, 'SIGKILL → the resumed turn at the model', again.at - killedAt);
  const lost = events.all.some((event) => event.session === session && event.type === 'conversation-reset');
  if (lost) {
    assert.ok(mayForget, 'the conversation is not lost');
    assert.ok(knows(again, 'could not be resumed'), 'the agent is told that it is');
  } else {
    assert.ok(knows(again, memory), 'the new process knows the conversation');
  }
  assert.ok(knows(again, work));
  await ended(daemon, background.task, 'completed');
  assert.equal(
    processesOf(home).find(({ pid }) => pid === agent),
    undefined,
    'the old process is gone',
  );
}

export const killed: Scenario = {
  name: 'killed-agent',
  title: 'an agent killed in mid-turn is replaced, and the task goes on in the conversation',
  run,
};

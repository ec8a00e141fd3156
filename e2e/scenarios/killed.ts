/** The agent is killed in mid-turn: the task goes on in another process, which knows the conversation. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { processInfo } from '../../src/supervise/index.ts';
import type { Scenario, Scene } from './scenario.ts';
import { Skipped, ended, knows, turnOf, word } from './scenario.ts';

/** Leaders of the groups of agents that have this home. */
function agentsOf(home: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const environment = textOf(`/proc/${pid}/environ`).split('\0');
      const stat = textOf(`/proc/${pid}/stat`);
      const [, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const isOurs =
        environment.includes(`HOME=${home}`) && environment.some((one) => one.startsWith('SIGNALBOX_COOKIE='));
      return isOurs && Number(group) === pid && processInfo(pid)?.zombie === false;
    });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

async function run({ stay, daemon, figures }: Scene): Promise<void> {
  if (process.platform !== 'linux') throw new Skipped('the agent’s process is found in /proc');
  const { model, program, home } = stay;
  const { client, events } = daemon;
  const session = 'killed';
  const [memory, work, finished] = [word('memory'), word('work'), word('finished')];
  model.rule({ when: new RegExp(`was cut off[^]*${work}`), play: `[[text:${finished}]]` });
  const others = agentsOf(home);
  const first = await client.submit({ session, prompt: `Remember ${memory}. [[text:noted]]` });
  await ended(daemon, first.task, 'completed', 60_000);
  const [agent, ...more] = agentsOf(home).filter((pid) => !others.includes(pid));
  assert.ok(agent !== undefined && more.length === 0, `one agent: ${agent} ${more.join(' ')}`);

  const background = await client.submit({ session, lane: 'background', prompt: `Do ${work}: [[slow:2400,25]]` });
  const request = await model.log.next('request', turnOf(work));
  await events.next('a piece', ({ task, type }) => task === background.task && type === 'output');
  const killedAt = performance.now();
  process.kill(agent, 'SIGKILL');
  await model.log.next('closed', ({ no }) => no === request.no);
  const again = await model.log.next('request', turnOf('was cut off'), { deadlineMs: 60_000 });
  figures.add(program.name, 'SIGKILL → the resumed turn at the model', again.at - killedAt);
  assert.ok(knows(again, memory), 'the new process knows the conversation');
  assert.ok(knows(again, work));
  await ended(daemon, background.task, 'completed');
  assert.ok(processInfo(agent) === null || processInfo(agent)?.zombie === true, 'the old process is gone');
}

export const killed: Scenario = {
  name: 'killed-agent',
  title: 'an agent killed in mid-turn is replaced, and the task goes on in the conversation',
  run,
};

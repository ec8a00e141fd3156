/**
 * Signalbox as a library in this process, with a real program as its agent and a real database: for what needs a finer clock
 * than HTTP gives. The agent is chosen as the daemon chooses it.
 */
import { join } from 'node:path';
import type { Signalbox } from '../src/runtime/api.ts';
import { createSignalbox } from '../src/runtime/signalbox.ts';
import { openSqliteStore } from '../src/store/sqlite/open.ts';
import type { AgentDriver } from '../src/agents/port.ts';
import { chooseAgent } from '../src/daemon/agent.ts';
import { EventLog } from './model/index.ts';
import type { Moment } from './observed.ts';
import { observed } from './observed.ts';
import type { ProgramSetup } from './program-setup.ts';

export interface Box extends AsyncDisposable {
  readonly box: Signalbox;
  readonly moments: EventLog<Moment>;
  /** Submits, and gives the id of the task. */
  readonly submit: (session: string, prompt: string, lane?: 'interactive' | 'background') => Promise<string>;
}

export async function openBox(setup: ProgramSetup): Promise<Box> {
  const moments = new EventLog<Moment>(({ at, what, turn, reason }) => `${at.toFixed(1)} ${what} ${turn} ${reason}`);
  let last: Moment | null = null;
  const folder = setup.folder('box');
  const { program, command, env } = setup;
  const work = setup.folder('work');
  const chosen = await chooseAgent({ name: program.name, command }, { folder, startMs: 30_000, env, cwd: folder });
  // All sessions of a box share one folder, which a program may have been told to trust.
  const driver: AgentDriver = { ...chosen.driver, start: (start) => chosen.driver.start({ ...start, folder: work }) };
  const store = openSqliteStore({ path: join(folder, 'box.db'), durability: 'power' });
  const box = createSignalbox({
    store,
    // Of a turn's output the first piece says enough.
    agent: observed(driver, (moment) => {
      if (moment.what !== 'output' || last?.what !== 'output' || last.turn !== moment.turn) {
        moments.add(moment);
      }
      last = moment;
    }),
    // Preemption is what is measured: no turn is to be protected from it.
    limits: { maxPassedOver: 100_000 },
    onError: (error) => {
      throw error instanceof Error ? error : new Error(String(error));
    },
  });
  await box.ready;
  return {
    box,
    moments,
    async submit(session, prompt, lane = 'interactive') {
      const answer = await box.submit({ session, prompt, lane });
      if (answer.kind === 'refused') {
        throw new Error(`refused: ${answer.code}`);
      }
      return answer.task;
    },
    async [Symbol.asyncDispose]() {
      await box.close({ graceMs: 0 });
      store.close();
    },
  };
}

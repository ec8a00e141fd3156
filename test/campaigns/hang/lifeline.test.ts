/** An agent of ours whose main loop is blocked does not outlive its daemon, also where no launcher ends it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAlive, processInfo } from '../../../src/supervise/index.ts';
import { untilEvent } from '../harness/until-event.ts';
import { startKilledDaemon } from '../kill/daemon-program.ts';

test.runIf(process.platform === 'linux').each(['block', 'wedge'])(
  'S08 an agent that runs [[%s]] is gone within 500 ms when its daemon is killed',
  async (how) => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-lifeline-'));
    const log = join(folder, 'agent.log');
    // A daemon without launcher or watchdog, as a library makes it.
    const daemon = await startKilledDaemon({ folder, agentLog: log });
    try {
      if (daemon === null) {
        throw new Error('the daemon was killed before it was ready');
      }
      const { client } = daemon;
      const { task } = await client.submit({ session: 'blocked', prompt: `[[text:going to]][[${how}]]` });
      await untilEvent(client, task, 'output');
      const [line = ''] = readFileSync(log, 'utf8').split('\n');
      const agent = processInfo((JSON.parse(line) as { readonly pid: number }).pid);
      expect(agent).not.toBeNull();
      const busy = (): boolean =>
        how === 'wedge' || /^State:\s+R/m.test(readFileSync(`/proc/${agent?.pid ?? 0}/status`, 'utf8'));
      while (!busy()) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      daemon.kill('SIGKILL');
      await daemon.gone();
      const killed = performance.now();
      while (agent !== null && isAlive(agent)) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      // The thread looks every 100 ms; the rest is for machines that are short of CPU.
      expect(performance.now() - killed).toBeLessThan(5_000);
    } finally {
      daemon?.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  },
);

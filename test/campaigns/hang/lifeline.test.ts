/** An agent of ours whose main loop is blocked does not outlive its daemon, also where no launcher ends it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createClient } from '../../../src/client/index.ts';
import { isAlive, processInfo } from '../../../src/supervise/index.ts';
import { firstLine } from '../../support/cli.ts';

/** A daemon without launcher or watchdog, as a library makes it. */
const program = fileURLToPath(new URL('../kill/daemon.ts', import.meta.url));

test.runIf(process.platform === 'linux').each(['block', 'wedge'])(
  'S08 an own agent in [[%s]] is gone within 500 ms when its daemon is killed',
  async (how) => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-lifeline-'));
    const log = join(folder, 'agent.log');
    const daemon = spawn(process.execPath, [program, join(folder, 'data'), log], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const { url } = JSON.parse(await firstLine(daemon)) as { readonly url: string };
      const token = readFileSync(join(folder, 'data', 'token'), 'utf8').trim();
      const client = createClient({ baseUrl: url, token });
      const { task } = await client.submit({ session: 'blocked', prompt: `[[text:going to]][[${how}]]` });
      for await (const event of client.follow(task)) {
        if (event.type === 'output') {
          break;
        }
      }
      const [line = ''] = readFileSync(log, 'utf8').split('\n');
      const agent = processInfo((JSON.parse(line) as { readonly pid: number }).pid);
      expect(agent).not.toBeNull();
      const busy = (): boolean =>
        how === 'wedge' || /^State:\s+R/m.test(readFileSync(`/proc/${agent?.pid ?? 0}/status`, 'utf8'));
      while (!busy()) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      const gone = new Promise((resolve) => daemon.once('exit', resolve));
      daemon.kill('SIGKILL');
      await gone;
      const killed = performance.now();
      while (agent !== null && isAlive(agent)) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      // The thread looks every 100 ms; the rest is for machines that are short of CPU.
      expect(performance.now() - killed).toBeLessThan(5_000);
    } finally {
      daemon.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  },
);

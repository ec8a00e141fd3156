/**
 * The daemon as the kill campaign runs it: the real one, with a fault point armed at which it ends itself by SIGKILL.
 * Arguments: folder, agent log, port, fault point or `none`, how often the point is passed before it strikes.
 */
import { runScriptedDaemon } from '../harness/daemon.ts';

const [folder = '', agentLog = '', port = '0', point = 'none', count = '0'] = process.argv.slice(2);
let left = Number(count);

const faults = {
  at(passed: string): void {
    if (passed === point) {
      left -= 1;
      if (left <= 0) {
        process.kill(process.pid, 'SIGKILL');
      }
    }
  },
};

await runScriptedDaemon({
  folder,
  port: Number(port),
  args: ['--log', agentLog, '--chunk-ms', '1'],
  // Its prompts let agents die on purpose: the breaker opens, and soon lets the next one try.
  limits: { maxAgents: 8, drainMs: 500, silenceMs: 2_000, startMs: 5_000, maxCrashes: 2, crashThrottleMs: 50 },
  faults,
});

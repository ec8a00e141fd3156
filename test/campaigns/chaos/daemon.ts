/**
 * The daemon of the chaos run: the real one with short deadlines, and a census of itself on request (IPC `census`).
 * Arguments: folder, script file of the agents, most agents at once, mark for the environment of its agents.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectGarbage } from '../../../bench/support/garbage.ts';
import { runScriptedDaemon } from '../harness/daemon.ts';
import { entries } from '../harness/processes.ts';
import { type DaemonCensus, deadlines, markName } from './shared.ts';

const loop = monitorEventLoopDelay({ resolution: 10 });
loop.enable();

function census(): DaemonCensus {
  collectGarbage();
  collectGarbage();
  return {
    descriptors: entries('/proc/self/fd').length,
    threads: entries('/proc/self/task').length,
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
    heapBytes: process.memoryUsage().heapUsed,
    loopP99: Math.round(loop.percentile(99) / 1e6),
    loopMax: Math.round(loop.max / 1e6),
  };
}

const [folder = '', script = '', maxAgents = '16', mark = ''] = process.argv.slice(2);
await runScriptedDaemon({
  folder,
  args: ['--script', script, '--chunk-ms', '1'],
  env: { [markName]: mark },
  limits: { ...deadlines, maxAgents: Number(maxAgents) },
  durability: 'process',
});
process.on('message', (question) => {
  if (question === 'census') {
    process.send?.(census());
  }
});

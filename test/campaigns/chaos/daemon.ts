/**
 * The daemon of the chaos run: the real one with short deadlines, and a census of itself on request (IPC `census`).
 * Arguments: folder, script file of the agents, most agents at once, mark for the environment of its agents. Run with --expose-gc.
 */
import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { resolveConfig } from '../../../src/daemon/config/resolve.ts';
import { startDaemon } from '../../../src/daemon/daemon.ts';
import { type DaemonCensus, deadlines, markName } from './shared.ts';

const entries = (path: string): number => {
  try {
    return readdirSync(path).length;
  } catch {
    return 0;
  }
};

const loop = monitorEventLoopDelay({ resolution: 10 });
loop.enable();

function census(): DaemonCensus {
  globalThis.gc?.();
  globalThis.gc?.();
  const counted = {
    descriptors: entries('/proc/self/fd'),
    threads: entries('/proc/self/task'),
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
    heapBytes: process.memoryUsage().heapUsed,
    loopP99: Math.round(loop.percentile(99) / 1e6),
    loopMax: Math.round(loop.max / 1e6),
  };
  return counted;
}

async function main(): Promise<void> {
  const [folder = '', script = '', maxAgents = '16', mark = ''] = process.argv.slice(2);
  const setting = (path: readonly string[], value: unknown) => ({ path, value, written: path.join('.') });
  const limits = { ...deadlines, maxAgents: Number(maxAgents) };
  const config = await resolveConfig({
    file: null,
    environment: {},
    flags: [
      setting(['listen', 'port'], 0),
      setting(['agent'], {
        name: 'scripted',
        args: ['--script', script, '--chunk-ms', '1'],
        env: { [markName]: mark },
      }),
      setting(['logLevel'], 'silent'),
      setting(['durability'], 'process'),
      ...Object.entries(limits).map(([name, value]) => setting(['limits', name], value)),
    ],
  });
  const daemon = await startDaemon({ folder, config, version: '0.0.0-chaos', now: Date.now });
  process.on('message', (question) => {
    if (question === 'census') {
      process.send?.(census());
    }
  });
  process.once('SIGTERM', () => {
    void daemon.close({ graceMs: 0 }).then(() => process.exit(0));
  });
  process.send?.({ url: daemon.url });
}

await main();

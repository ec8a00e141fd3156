/** The thread of `lifeline.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { processInfo, signalGroup } from '../platform/processes.ts';

/** A fifth of the time within which a daemon's agents must be gone behind it. */
const lookMs = 100;

const { parent } = workerData as { readonly parent: number };

setInterval(() => {
  if (process.ppid === parent) {
    return;
  }
  // An agent is the leader of its group. Called by hand it may be in its caller's, which is not ours to end.
  if (processInfo(process.pid)?.group === process.pid) {
    signalGroup(process.pid, 'SIGKILL');
  }
  process.kill(process.pid, 'SIGKILL');
}, lookMs);

parentPort?.postMessage('watches');

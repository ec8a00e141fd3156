/**
 * The daemon as the kill tests run it: the real one, with a fault point armed at which it ends itself by SIGKILL.
 * Arguments: folder, agent log, fault point or `none`, how often the point is passed before it strikes.
 */
import { scriptedFlags, startDaemon } from './parts.ts';

const [folder = '', agentLog = '', point = 'none', countText = '0'] = process.argv.slice(2);
let left = Number(countText);

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

const daemon = await startDaemon(folder, scriptedFlags(agentLog), faults);
process.stdout.write(`${JSON.stringify({ url: daemon.url })}\n`);
process.once('SIGTERM', () => {
  void daemon.close({ graceMs: 0 }).then(() => process.exit(0));
});

/**
 * The daemon of the soak: the real one with short deadlines, few agents, and one folder for several sessions.
 * Arguments: folder, port, script file of the agents, their log, most agents at once.
 */
import { join } from 'node:path';
import { deadlines } from '../chaos/shared.ts';
import { answerCensus } from '../harness/census.ts';
import { runScriptedDaemon } from '../harness/daemon.ts';

const [folder = '', port = '0', script = '', agentLog = '', maxAgents = '4'] = process.argv.slice(2);
await runScriptedDaemon({
  folder,
  port: Number(port),
  args: ['--script', script, '--log', agentLog, '--chunk-ms', '1'],
  limits: {
    ...deadlines,
    maxAgents: Number(maxAgents),
    agentIdleMs: 3_000,
    holdLimitMs: 8_000,
    permissionMs: 4_000,
    turnOutputBytes: 2_000_000,
    turnToolCalls: 30,
    turnLimitMs: 20_000,
    maxWaitMs: 20_000,
  },
  durability: 'process',
  workspaces: [{ session: 'shared:*', folder: join(folder, 'shared') }],
  graceMs: 1_000,
});
answerCensus();

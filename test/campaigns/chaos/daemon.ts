/**
 * The daemon of the chaos run: the real one with short deadlines, and a census of itself on request (IPC `census`).
 * Arguments: folder, script file of the agents, most agents at once, mark for the environment of its agents.
 */
import { answerCensus } from '../harness/census.ts';
import { runScriptedDaemon } from '../harness/daemon.ts';
import { deadlines, markName } from './shared.ts';

const [folder = '', script = '', maxAgents = '16', mark = ''] = process.argv.slice(2);
await runScriptedDaemon({
  folder,
  args: ['--script', script, '--chunk-ms', '1'],
  env: { [markName]: mark },
  limits: { ...deadlines, maxAgents: Number(maxAgents) },
  durability: 'process',
});
answerCensus();

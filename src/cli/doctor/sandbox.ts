/** Whether agents can run in a sandbox here, tried as the daemon tries it. */
import type { AgentConfig } from '../../protocol/config.ts';
import { type Check, missing, note, ok } from './check.ts';

/** `agent`: as configured; null: the configuration is wrong, which another check says. */
export async function checkSandbox(
  agent: AgentConfig | null,
  env: Readonly<{ [name: string]: string | undefined }>,
): Promise<Check> {
  const { findSandbox, sandboxMode } = await import('../../daemon/sandbox.ts');
  const { agentNamed } = await import('../../agents/registry.ts');
  const described = agent === null ? null : agentNamed(agent.name);
  const mode = agent === null || described === null ? null : sandboxMode(described, agent);
  const found = findSandbox(env, agent?.network);
  if (found.kind === 'found') {
    const off = mode === 'off' && described?.kind === 'program' ? `; ${agent?.name} runs without it` : '';
    return ok('sandbox', `bubblewrap works (${found.file}); it bounds ${await boundHere()}${off}`);
  }
  return mode === 'required'
    ? missing('sandbox', `${found.why}, and agent.sandbox is required: no agent starts`, found.fix)
    : note('sandbox', `${found.why}: agents run without a sandbox`, found.fix);
}

async function boundHere(): Promise<string> {
  const { limitsHere } = await import('../../supervise/sandbox/control-groups.ts');
  const { processes, memory } = limitsHere();
  return processes ? (memory ? 'processes and memory' : 'processes, not memory') : 'neither processes nor memory';
}

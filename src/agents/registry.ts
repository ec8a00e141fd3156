/** Every agent that `agent.name` can choose. A new driver is its folder and one line here. */
import { descriptors as acp } from './acp/descriptor.ts';
import { descriptor as claude } from './claude/descriptor.ts';
import { descriptor as codex } from './codex/descriptor.ts';
import type { AgentDescriptor, AgentProgram, ProgramAgent } from './descriptor.ts';
import { descriptor as function_ } from './function/descriptor.ts';
import { descriptor as process } from './process/descriptor.ts';
import { descriptor as scripted } from './scripted/descriptor.ts';
import { descriptor as worker } from './worker/descriptor.ts';

export const agents: readonly AgentDescriptor[] = [scripted, process, function_, worker, claude, codex, ...acp];

/** An agent whose program users install. */
export type InstalledAgent = ProgramAgent & { readonly program: AgentProgram };

const isInstalled = (agent: AgentDescriptor): agent is InstalledAgent =>
  agent.kind === 'program' && agent.program !== null;

export const installedAgents: readonly InstalledAgent[] = agents.filter(isInstalled);

/** Null: no agent has that name. */
export const agentNamed = (name: string): AgentDescriptor | null => agents.find((one) => one.name === name) ?? null;

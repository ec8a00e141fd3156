/**
 * What third parties test with: the contract suites of the two ports, the store in memory, and the scripted agent, which
 * misbehaves on demand. Not loaded by the daemon.
 */
export * from './agents/index.ts';
export { processDriver, runScriptedAgent, scriptedDriver, scriptedProgram } from '../agents/index.ts';
export type {
  AgentLogEvent,
  AgentLogLine,
  FromAgent,
  ProcessDriverOptions,
  ScriptedDriverOptions,
  ToAgent,
} from '../agents/index.ts';
export type { ContractApi, NodesHarness, StoreHarness } from './store/api.ts';
export { hintsContract, nodesContract, storeContract } from './store/contract.ts';
export { type LateOptions, lateStore, type Postpone, shuffled } from './store/late.ts';
export { MemoryDisk, noFaults, openMemoryStore, storeFaultPoints } from '../store/index.ts';
export type { Faults } from '../store/index.ts';
export { recordedDeliveries } from '../gateways/github/recorded/index.ts';
export { signDelivery } from '../gateways/github/signature.ts';
export { signStandardDelivery } from '../gateways/standard-webhooks/hook.ts';

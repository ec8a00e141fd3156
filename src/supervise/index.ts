export { backoffMs } from './backoff.ts';
export type { BackoffPlan } from './backoff.ts';
export { breakerAdmit, breakerClosed, breakerFailed, breakerSucceeded } from './breaker.ts';
export type { Admission, BreakerPlan, BreakerState } from './breaker.ts';
export { spawnAgent } from './process/child.ts';
export type { AgentChild, ChildExit, ChildIdentity, ExitReason, Rung, SpawnOptions } from './process/child-options.ts';
export { commonVariables, cookieName, nodeCookieName, pickEnvironment } from './process/environment.ts';
export type { Environment } from './process/environment.ts';
export { ChannelBroken, ChannelFull, WaitTimedOut } from './channel/errors.ts';
export type { ChannelPhase } from './channel/errors.ts';
export type { HuntReport } from './process/kill-tree.ts';
export { endLeftover, endNode, killNodeNow } from './process/leftovers.ts';
export type { EndLeftoverOptions, EndNodeOptions, LeftoverReport, ProcessIdentity } from './process/leftovers.ts';
export { LineSplitter } from './channel/lines.ts';
export type { LineFrame } from './channel/lines.ts';
export { ParkedWork, parkedWork } from './pending-waits.ts';
export type { Parked, ParkOptions } from './pending-waits.ts';
export { PendingTable } from './channel/pending-requests.ts';
export type { PendingOptions, PendingRequest, Settled } from './channel/pending-requests.ts';
export {
  descendants,
  groupMembers,
  isAlive,
  processEntries,
  processesWithCookie,
  processInfo,
} from './platform/processes.ts';
export type { ProcessEntry, ProcessInfo } from './platform/processes.ts';
export { makeRedactor, secretsIn } from './redact.ts';
export type { RedactedPieces, Redactor } from './redact.ts';
export { ProcessScanner, systemScanner } from './process/scanner.ts';
export { Scope } from './scope.ts';
export type { ScopeFailure, ScopeOptions, ScopeReport } from './scope.ts';
export { platformLacks } from './platform/lacks.ts';
export type { PlatformLack } from './platform/lacks.ts';
export { pause, realTimers } from './timers.ts';
export type { Timers } from './timers.ts';

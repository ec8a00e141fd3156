/** The shapes of the HTTP API, the events and the configuration: the one source for server, client, CLI and web. */
export * from './config.ts';
export * from '../core/error-codes.ts';
export type { Actor } from '../core/model/actor.ts';
export type { EventType, HangNote, SessionEventType, TaskEventType } from '../core/model/events.ts';
export type {
  BoundedText,
  Cost,
  FileDiff,
  OutputPart,
  PlanEntry,
  ToolPart,
  ToolStatus,
  TurnFailure,
  TurnReport,
  Usage,
} from '../core/model/output.ts';
export type { Lane, TaskStatus, WhenBusy } from '../core/model/task.ts';
export * from './conversations.ts';
export * from './defaults.ts';
export * from './events/parts.ts';
export * from './events/read.ts';
export * from './events/session.ts';
export * from './events/tape.ts';
export * from './events/task.ts';
export type { Finding } from './findings.ts';
export * from './folder.ts';
export * from './hangs.ts';
export * from './holds.ts';
export * from './hooks.ts';
export * from './ids.ts';
export * from './limits.ts';
export { nearest } from './nearest.ts';
export * from './openapi.ts';
export * from './permissions.ts';
export * from './open-tasks.ts';
export * from './problem.ts';
export * from './nodes.ts';
export * from './providers.ts';
export * from './query.ts';
export * from './replies.ts';
export * from './routes.ts';
export type { Route } from './routes/route.ts';
export type * from './schema.ts';
export * from './sessions.ts';
export * from './task-spec.ts';
export * from './tasks.ts';
export * from './tokens.ts';
export * from './validate.ts';

/** Signalbox as a library: many callers, one long-lived agent session, one owner at a time. */
export * from './runtime/index.ts';
export { openMemoryStore, openPostgresStore, openSqliteStore } from './store/index.ts';
export { functionDriver, processDriver, scriptedDriver } from './agents/index.ts';
export type { AgentDriver, AgentEvent, AgentHandle, AgentStart } from './agents/index.ts';
export { makeRedactor, type Redactor, secretsIn } from './supervise/index.ts';
export { AppError } from './core/errors.ts';
export { type ConfigFile, defineConfig } from './daemon/config/schema.ts';

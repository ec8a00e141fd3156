/** The shapes of the HTTP API, the events and the configuration: the one source for server, client, CLI and web. */
export * from './config.ts';
export * from './errors.ts';
export * from './events.ts';
export * from './folder.ts';
export * from './hooks.ts';
export * from './hooks-config.ts';
export * from './ids.ts';
export { nearest } from './nearest.ts';
export * from './openapi.ts';
export * from './permissions.ts';
export * from './problem.ts';
export * from './providers.ts';
export * from './query.ts';
export * from './routes.ts';
export type * from './schema.ts';
export * from './sessions.ts';
export * from './tasks.ts';
export * from './validate.ts';

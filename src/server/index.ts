/** The HTTP door. */
export { readDaemonFile, writeDaemonFile } from './daemon-file.ts';
export { isLoopback } from './guard.ts';
export type { Logger, ServerLimits, ServerOptions } from './options.ts';
export { defaultServerLimits, silentLogger } from './options.ts';
export type { SignalboxServer } from './server.ts';
export { createServer } from './server.ts';
export { loadToken } from './token.ts';

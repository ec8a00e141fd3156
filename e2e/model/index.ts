/** A model API of our own, for tests of real agent programs without a network: see server.ts and directives.ts. */
export { startModel } from './server.ts';
export type { Model } from './server.ts';
export { EventLog } from './event-log.ts';
export type { EventOf, RequestEvent } from './log.ts';
export type { Rule } from './directives.ts';
export type { DialectName } from './conversation.ts';

/** A model API of our own, for tests of real agent programs without a network: see server.ts and directives.ts. */
export { startModel } from './server.ts';
export type { Model, ModelOptions } from './server.ts';
export { EventLog } from './event-log.ts';
export type { Wanted } from './event-log.ts';
export type { EventOf, ModelEvent, ModelLog, RequestEvent } from './log.ts';
export type { Rule } from './directives.ts';
export type { Asked, DialectName, Item } from './conversation.ts';

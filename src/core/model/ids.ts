/** Branded identifiers. Numbers count per session; strings come from outside (the core makes no ids of its own). */
declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** Names one session, for example `github:acme/app`. 1 to 200 characters, checked at the door. */
export type SessionKey = Brand<string, 'SessionKey'>;
/** Names one task on all nodes and for ever; made by the caller of `submit` (UUIDv7 by default). */
export type TaskId = Brand<string, 'TaskId'>;
/** Fencing token of a hold: grows by one with every grant of the session, never reused. */
export type Epoch = Brand<number, 'Epoch'>;
/** Number of a turn in its session, from 1; never reused, also across restarts of the daemon. */
export type TurnId = Brand<number, 'TurnId'>;
/** Number of an agent process (or function instance) in its session, from 1; never reused. */
export type Incarnation = Brand<number, 'Incarnation'>;
/** Number of a claim of an agent slot in its daemon: a lower one is older. */
export type ClaimId = Brand<number, 'ClaimId'>;

export const sessionKey = (value: string): SessionKey => value as SessionKey;
export const taskId = (value: string): TaskId => value as TaskId;
export const epoch = (value: number): Epoch => value as Epoch;
export const turnId = (value: number): TurnId => value as TurnId;
export const incarnation = (value: number): Incarnation => value as Incarnation;
export const claimId = (value: number): ClaimId => value as ClaimId;

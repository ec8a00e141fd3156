/** From what a command was told to the client of the daemon that it means. Only commands that talk to one load this. */
import type { Client } from '../client/index.ts';
import { createClient } from '../client/index.ts';
import type { Call } from './call.ts';
import type { Io } from './io.ts';
import type { Target } from './target.ts';
import { findTarget } from './target.ts';

export const clientOf = ({ url, token }: Target): Client => createClient({ baseUrl: url, token });

/** Throws `AppError` `unreachable` when no daemon is known there. */
export const connect = (call: Call, io: Io): Client => clientOf(findTarget(call, io));

/** Client of the HTTP API, for browsers, workers and Node: it needs `fetch` and nothing else. */
export type { CallOptions, Client, FeedFollowOptions, FollowOptions, HoldSubmit, SubmitOptions } from './client.ts';
export { createClient } from './client.ts';
export { ApiError } from './errors.ts';
export type { Hold, HoldOptions, TurnAnswer } from './hold.ts';
export type { ClientOptions } from './http.ts';
export { AppError } from '../core/errors.ts';
export type * from '../protocol/index.ts';

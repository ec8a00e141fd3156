/**
 * Every route of the HTTP API. The server registers from this table and validates with its schemas, /openapi.json is made
 * from it, and the client takes its types from it. Codes that any route may answer are in `commonCodes`.
 */
import type { ErrorCode } from '../core/error-codes.ts';
import { eventsRoutes } from './routes/events.ts';
import { hangsRoutes } from './routes/hangs.ts';
import { holdsRoutes } from './routes/holds.ts';
import { metaRoutes } from './routes/meta.ts';
import type { Route } from './routes/route.ts';
import { permissionsRoutes } from './routes/permissions.ts';
import { nodesRoutes } from './routes/nodes.ts';
import { providersRoutes } from './routes/providers.ts';
import { repliesRoutes } from './routes/replies.ts';
import { sessionsRoutes } from './routes/sessions.ts';
import { tasksRoutes } from './routes/tasks.ts';
import { tokensRoutes } from './routes/tokens.ts';
import type { Schema, Wire } from './schema.ts';

/** Codes that every route may answer; those of the body and of the token only where a route has one. */
export const commonCodes = [
  'bad_request',
  'invalid_request',
  'wrong_host',
  'unauthorized',
  'forbidden',
  'headers_too_large',
  'too_many_connections',
  'closing',
  'internal',
  'store_failed',
  'store_replaced',
  'store_unreachable',
  'store_lost',
] as const satisfies readonly ErrorCode[];
export const bodyCodes = [
  'bad_json',
  'body_too_large',
  'unsupported_media_type',
  'request_timeout',
] as const satisfies readonly ErrorCode[];

/** The groups of routes, as readers of the documentation see them. */
export const routeGroups: readonly {
  readonly name: string;
  readonly description: string;
  readonly routes: { readonly [operation: string]: Route };
}[] = [
  { name: 'Tasks', description: 'Submit work, wait for it, change and cancel it.', routes: tasksRoutes },
  { name: 'Holds', description: 'External tasks: a program outside the daemon owns the session.', routes: holdsRoutes },
  { name: 'Sessions', description: 'Show, stop and park sessions, and restart their agents.', routes: sessionsRoutes },
  { name: 'Permissions', description: 'Requests of agents that wait for a person.', routes: permissionsRoutes },
  { name: 'Nodes', description: 'The daemons that share a store.', routes: nodesRoutes },
  { name: 'Providers', description: 'Providers of models, and their throttles.', routes: providersRoutes },
  { name: 'Replies', description: 'Messages that go out, and what became of them.', routes: repliesRoutes },
  { name: 'Events', description: 'Tapes and feeds: pages, long polls and streams.', routes: eventsRoutes },
  { name: 'Hangs', description: 'Reports of what was stuck, and where.', routes: hangsRoutes },
  { name: 'Tokens', description: 'Named tokens of callers.', routes: tokensRoutes },
  { name: 'Server', description: 'The daemon itself.', routes: metaRoutes },
];

export const routes = {
  ...tasksRoutes,
  ...holdsRoutes,
  ...sessionsRoutes,
  ...permissionsRoutes,
  ...nodesRoutes,
  ...providersRoutes,
  ...repliesRoutes,
  ...eventsRoutes,
  ...hangsRoutes,
  ...tokensRoutes,
  ...metaRoutes,
} as const;

export type Operation = keyof typeof routes;
export const operations = Object.keys(routes) as readonly Operation[];

type Part<O extends Operation, K extends string> = (typeof routes)[O] extends {
  readonly [key in K]: infer S extends Schema;
}
  ? Wire<S>
  : undefined;
type Parts<K extends string> = { readonly [O in Operation]: Part<O, K> };
type Answers = {
  readonly [O in Operation]: (typeof routes)[O]['success'] extends { readonly 200: infer S extends Schema }
    ? Wire<S>
    : never;
};

// Interfaces and no aliases: the compiler looks a member up instead of working the schema out again for every generic use.
interface ParamsByOperation extends Parts<'params'> {}
interface QueryByOperation extends Parts<'query'> {}
interface BodyByOperation extends Parts<'body'> {}
interface ResponseByOperation extends Answers {}

export type ParamsOf<O extends Operation> = ParamsByOperation[O];
export type QueryOf<O extends Operation> = QueryByOperation[O];
export type BodyOf<O extends Operation> = BodyByOperation[O];
export type ResponseOf<O extends Operation> = ResponseByOperation[O];

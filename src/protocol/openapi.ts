/** OpenAPI 3.1 from the route table. A schema that has a name here stands once, under `components`. */
import { ERRORS, type ErrorCode } from '../core/error-codes.ts';
import { FeedEventSchema, FeedPageSchema, StreamNoticeSchema, TapeEventSchema, TapePageSchema } from './events.ts';
import * as permissions from './permissions.ts';
import { HangListSchema, HangReportSchema, HangSummarySchema } from './hangs.ts';
import { ProblemSchema } from './problem.ts';
import * as providers from './providers.ts';
import type { Route } from './routes.ts';
import { BODY_CODES, COMMON_CODES, ROUTES } from './routes.ts';
import type { Schema } from './schema.ts';
import * as sessions from './sessions.ts';
import * as tasks from './tasks.ts';

const named: { readonly [name: string]: Schema } = {
  AnswerRequest: permissions.AnswerRequestSchema,
  Ask: permissions.AskSchema,
  AskList: permissions.AskListSchema,
  CancelReceipt: tasks.CancelReceiptSchema,
  CancelRequest: tasks.CancelRequestSchema,
  EditRequest: tasks.EditRequestSchema,
  EvictRequest: sessions.EvictRequestSchema,
  Explanation: tasks.ExplanationSchema,
  FeedEvent: FeedEventSchema,
  FeedPage: FeedPageSchema,
  HangList: HangListSchema,
  HangReport: HangReportSchema,
  HangSummary: HangSummarySchema,
  MoveRequest: tasks.MoveRequestSchema,
  Ok: tasks.OkSchema,
  Owner: tasks.OwnerSchema,
  ParkRequest: sessions.ParkRequestSchema,
  PermissionPolicy: permissions.PermissionPolicySchema,
  Problem: ProblemSchema,
  Provider: providers.ProviderSchema,
  ProviderList: providers.ProviderListSchema,
  SessionPage: sessions.SessionPageSchema,
  SessionSummary: sessions.SessionSummarySchema,
  SessionView: sessions.SessionViewSchema,
  StopReceipt: sessions.StopReceiptSchema,
  StopRequest: sessions.StopRequestSchema,
  StreamNotice: StreamNoticeSchema,
  SubmitReceipt: tasks.SubmitReceiptSchema,
  SubmitRequest: tasks.SubmitRequestSchema,
  TapeEvent: TapeEventSchema,
  TapePage: TapePageSchema,
  TaskPage: tasks.TaskPageSchema,
  TaskSummary: tasks.TaskSummarySchema,
  TaskView: tasks.TaskViewSchema,
  Throttle: providers.ThrottleSchema,
};
const names = new Map<unknown, string>(Object.entries(named).map(([name, schema]) => [schema, name]));

type Json = { readonly [name: string]: unknown };

/** Replaces every named schema inside by a reference to it. */
function refer(value: unknown): unknown {
  const name = names.get(value);
  return name === undefined ? inside(value) : { $ref: `#/components/schemas/${name}` };
}

function inside(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(refer);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, refer(member)]));
}

/** All codes that a route may answer, in the order of their status. */
export function codesOf(route: Route): readonly ErrorCode[] {
  const common = COMMON_CODES.filter((code) => code !== 'unauthorized' || route.open !== true);
  const all = [...common, ...(route.body === undefined ? [] : BODY_CODES), ...route.codes];
  return all.toSorted((a, b) => (ERRORS[a].status ?? 0) - (ERRORS[b].status ?? 0));
}

function parameters(route: Route): readonly Json[] {
  const list = (where: string, members: { readonly [name: string]: Schema } | undefined): readonly Json[] =>
    Object.entries(members ?? {}).map(([name, schema]) => ({
      name,
      in: where,
      required: where === 'path',
      ...(where === 'query' && schema.type === 'array' ? { style: 'form', explode: false } : {}),
      schema: refer(schema),
    }));
  return [
    ...list('path', route.params?.properties),
    ...list('query', route.query?.properties),
    ...list('header', route.headers),
  ];
}

function responses(route: Route): Json {
  const all: { [status: string]: unknown } = {};
  for (const [status, schema] of Object.entries(route.success)) {
    const content: { [type: string]: unknown } =
      route.text === true ? { 'text/plain': { schema } } : { 'application/json': { schema: refer(schema) } };
    if (route.stream === true) {
      content['text/event-stream'] = {
        schema: { type: 'string', description: 'Unnamed messages are events; `cut` and `bye` carry a StreamNotice.' },
      };
    }
    all[status] = { description: 'Done', content };
  }
  for (const [status, codes] of Map.groupBy(codesOf(route), (code) => ERRORS[code].status ?? 500)) {
    all[String(status)] = {
      description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join('\n\n'),
      content: { 'application/problem+json': { schema: refer(ProblemSchema) } },
    };
  }
  return all;
}

function operation(id: string, route: Route): Json {
  const body = route.body;
  return {
    operationId: id,
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    parameters: parameters(route),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: (body.required ?? []).length > 0,
            content: { 'application/json': { schema: refer(body) } },
          },
        }),
    responses: responses(route),
    ...(route.open === true ? { security: [] } : {}),
  };
}

export function makeOpenApi(version: string): Json {
  const paths: { [path: string]: { [method: string]: unknown } } = {};
  for (const [id, route] of Object.entries<Route>(ROUTES)) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(id, route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Signalbox',
      version,
      description: 'Interlocking for AI-agent sessions: many callers, one owner at a time, nothing lost.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    security: [{ token: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(named).map(([name, schema]) => [name, inside(schema)])),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

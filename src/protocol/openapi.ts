/** OpenAPI 3.1 from the route table. A schema that has a name here appears once, under `components`. */
import { ListenSchema } from './config.ts';
import { errorCodes, type ErrorCode } from '../core/error-codes.ts';
import * as parts from './events/parts.ts';
import {
  eventSchemas,
  FeedEventSchema,
  FeedPageSchema,
  StreamNoticeSchema,
  TapeEventSchema,
  TapePageSchema,
} from './events/tape.ts';
import * as permissions from './permissions.ts';
import { requestExamples } from './examples.ts';
import { HangListSchema, HangReportSchema, HangSummarySchema } from './hangs.ts';
import { ProblemSchema } from './problem.ts';
import * as nodes from './nodes.ts';
import * as providers from './providers.ts';
import type { Route } from './routes/route.ts';
import { bodyCodes, commonCodes, routeGroups, routes } from './routes.ts';
import type { Schema } from './schema.ts';
import * as sessions from './sessions.ts';
import * as tasks from './tasks.ts';

const named: { readonly [name: string]: Schema } = {
  CancelReceipt: tasks.CancelReceiptSchema,
  CancelRequest: tasks.CancelRequestSchema,
  EditRequest: tasks.EditRequestSchema,
  EvictRequest: sessions.EvictRequestSchema,
  Explanation: tasks.ExplanationSchema,
  FeedPage: FeedPageSchema,
  HangList: HangListSchema,
  HangReport: HangReportSchema,
  HangSummary: HangSummarySchema,
  MoveRequest: tasks.MoveRequestSchema,
  Ok: tasks.OkSchema,
  Owner: tasks.OwnerSchema,
  ParkRequest: sessions.ParkRequestSchema,
  PermissionPolicy: permissions.PermissionPolicySchema,
  PermissionRequest: permissions.PermissionRequestSchema,
  PermissionRequestList: permissions.PermissionRequestListSchema,
  Problem: ProblemSchema,
  Node: nodes.NodeSchema,
  NodeList: nodes.NodeListSchema,
  Provider: providers.ProviderSchema,
  ProviderList: providers.ProviderListSchema,
  RespondRequest: permissions.RespondRequestSchema,
  SessionPage: sessions.SessionPageSchema,
  SessionSummary: sessions.SessionSummarySchema,
  SessionView: sessions.SessionViewSchema,
  StopReceipt: sessions.StopReceiptSchema,
  StopRequest: sessions.StopRequestSchema,
  StreamNotice: StreamNoticeSchema,
  SubmitReceipt: tasks.SubmitReceiptSchema,
  SubmitRequest: tasks.SubmitRequestSchema,
  TapePage: TapePageSchema,
  TaskPage: tasks.TaskPageSchema,
  TaskSummary: tasks.TaskSummarySchema,
  TaskView: tasks.TaskViewSchema,
  Throttle: providers.ThrottleSchema,
};

const pascal = (type: string): string => type.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Schemas of events. A later version may add members, so they all allow unknown members. */
const namedEvents: { readonly [name: string]: Schema } = {
  Actor: parts.ActorSchema,
  AgentCaps: parts.AgentCapsSchema,
  BoundedText: parts.BoundedTextSchema,
  Cost: parts.CostSchema,
  FeedEvent: FeedEventSchema,
  FileDiff: parts.FileDiffSchema,
  OutputPart: parts.OutputPartSchema,
  Parked: parts.ParkedSchema,
  PermissionAction: parts.PermissionActionSchema,
  PlanEntry: parts.PlanEntrySchema,
  TapeEvent: TapeEventSchema,
  TurnFailure: parts.TurnFailureSchema,
  TurnReport: parts.TurnReportSchema,
  Usage: parts.UsageSchema,
  ...Object.fromEntries(Object.entries(parts.outputParts).map(([kind, schema]) => [`${pascal(kind)}Part`, schema])),
  ...Object.fromEntries(Object.entries(eventSchemas).map(([type, schema]) => [`${pascal(type)}Event`, schema])),
};

interface Named {
  readonly name: string;
  readonly schema: Schema;
}

/** The parts of a schema that its copies under another description share. */
const bodyOf = (schema: Schema): unknown => schema.properties ?? schema.oneOf ?? schema.allOf;
const byBody: ReadonlyMap<unknown, Named> = new Map(
  Object.entries({ ...named, ...namedEvents }).map(([name, schema]) => [bodyOf(schema), { name, schema }]),
);

const listen = ListenSchema.properties;

type Json = { readonly [name: string]: unknown };

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const refTo = (name: string): string => `#/components/schemas/${name}`;

/** Replaces every named schema inside by a reference to it; the reference keeps its own description. */
function refer(value: unknown): unknown {
  const found = isObject(value) ? byBody.get(bodyOf(value)) : undefined;
  if (found === undefined || !isObject(value)) {
    return inside(value);
  }
  const { name, schema } = found;
  const own = value['description'] === schema.description ? {} : { description: value['description'] };
  return { $ref: refTo(name), ...own };
}

function inside(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(refer);
  }
  if (!isObject(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, name === 'discriminator' ? mapped(value) : refer(member)]),
  );
}

/** Without a mapping, OpenAPI takes the value for the name of a schema. */
function mapped({ oneOf = [], discriminator }: Schema): Json {
  const propertyName = discriminator?.propertyName ?? '';
  const pairs = oneOf.map(({ properties = {} }) => {
    return [properties[propertyName]?.const, refTo(byBody.get(properties)?.name ?? '')] as const;
  });
  return { propertyName, mapping: Object.fromEntries(pairs) };
}

function opened(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(opened);
  }
  if (!isObject(value)) {
    return value;
  }
  const members = Object.entries(value).filter(([name, member]) => name !== 'additionalProperties' || member !== false);
  return Object.fromEntries(members.map(([name, member]) => [name, opened(member)]));
}

/**
 * A default in words. Where the member itself has one, generators of clients take the member for one that is always there, in requests too.
 */
function inWords(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(inWords);
  }
  if (!isObject(value)) {
    return value;
  }
  const { default: preset, ...rest } = value;
  const members = Object.entries(rest).map(([name, member]) => [
    name,
    isData(name) ? member : insideWords(name, member),
  ]);
  const description = typeof rest['description'] === 'string' ? rest['description'] : '';
  const isTold = preset === undefined || /default/i.test(description);
  return {
    ...(Object.fromEntries(members) as Json),
    ...(isTold ? {} : { description: `${description} Default: \`${JSON.stringify(preset)}\`.`.trimStart() }),
  };
}

/** Values, not schemas. */
const isData = (name: string): boolean => name === 'examples' || name === 'const' || name === 'enum';

/** `properties` has the names of members, and one of them may be `default`. */
const insideWords = (name: string, member: unknown): unknown =>
  name === 'properties' && isObject(member)
    ? Object.fromEntries(Object.entries(member).map(([key, schema]) => [key, inWords(schema)]))
    : inWords(member);

/** All codes that a route may answer, in the order of their status. */
export function codesOf(route: Route): readonly ErrorCode[] {
  const common = commonCodes.filter(
    (code) => route.scope !== null || (code !== 'unauthorized' && code !== 'forbidden'),
  );
  const all = [...common, ...(route.body === undefined ? [] : bodyCodes), ...route.codes];
  return all.toSorted((a, b) => (errorCodes[a].status ?? 0) - (errorCodes[b].status ?? 0));
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

/** The events of a page are those of the stream. */
const eventIn = (page: Schema): Schema => page.properties?.['items']?.items ?? {};

function responses(route: Route): Json {
  const all: { [status: string]: unknown } = {};
  for (const [status, schema] of Object.entries(route.success)) {
    const content: { [type: string]: unknown } =
      route.text === true ? { 'text/plain': { schema } } : { 'application/json': { schema: refer(schema) } };
    if (route.stream === true) {
      content['text/event-stream'] = {
        schema: {
          type: 'string',
          description:
            'Unnamed messages are events; `cut` and `bye` carry a StreamNotice. `contentSchema` is that of the `data` of each message.',
          contentMediaType: 'text/event-stream',
          contentSchema: { anyOf: [eventIn(schema), StreamNoticeSchema].map(refer) },
        },
      };
    }
    all[status] = { description: 'Done', content };
  }
  for (const [status, codes] of Map.groupBy(codesOf(route), (code) => errorCodes[code].status ?? 500)) {
    all[String(status)] = {
      description: codes.map((code) => `\`${code}\`: ${errorCodes[code].title}`).join('\n\n'),
      content: { 'application/problem+json': { schema: refer(ProblemSchema) } },
    };
  }
  return all;
}

const tagOf: ReadonlyMap<string, string> = new Map(
  routeGroups.flatMap((group) => Object.keys(group.routes).map((id) => [id, group.name] as const)),
);

const examplesOf: { readonly [operation: string]: Json } = requestExamples;

function operation(id: string, route: Route): Json {
  const body = route.body;
  return {
    operationId: id,
    tags: [tagOf.get(id)],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    parameters: parameters(route),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: (body.required ?? []).length > 0,
            content: { 'application/json': { schema: inWords(refer(body)), examples: examplesOf[id] } },
          },
        }),
    responses: responses(route),
    ...(route.scope === null ? { security: [] } : {}),
  };
}

export function makeOpenApi(version: string): Json {
  const paths: { [path: string]: { [method: string]: unknown } } = {};
  for (const [id, route] of Object.entries<Route>(routes)) {
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
    servers: [
      { url: '/', description: 'The daemon that sent this description.' },
      {
        url: 'http://{host}:{port}',
        description: 'A daemon at another address; the default is that of `signalbox up`.',
        variables: { host: { default: listen.host.default }, port: { default: String(listen.port.default) } },
      },
    ],
    tags: routeGroups.map(({ name, description }) => ({ name, description })),
    security: [{ token: [] }],
    paths,
    components: {
      schemas: {
        ...Object.fromEntries(Object.entries(named).map(([name, schema]) => [name, inWords(inside(schema))])),
        ...Object.fromEntries(
          Object.entries(namedEvents).map(([name, schema]) => [name, opened(inWords(inside(schema)))]),
        ),
      },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

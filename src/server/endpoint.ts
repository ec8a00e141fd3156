/** From a matched request to checked values to an answer: one endpoint for each route and each hook. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '../core/errors.ts';
import type {
  FixedHintCode,
  HookHandler,
  HookHead,
  HookResponse,
  ObjectSchema,
  Operation,
  ProblemFinding,
  Route,
} from '../protocol/index.ts';
import { operations, routes, readQuery, validate } from '../protocol/index.ts';
import { accepts } from './accept.ts';
import { agentTurn, checkWait } from './agent-calls.ts';
import type { BodyBudget } from './body-budget.ts';
import type { BodyLimits } from './body.ts';
import { discard, parseJsonBody, withBody } from './body.ts';
import type { Answer, AnyHandler, Handlers, Services } from './context.ts';
import { eventHandlers } from './handlers/events.ts';
import { hangHandlers } from './handlers/hangs.ts';
import { holdHandlers } from './handlers/holds.ts';
import { metaHandlers } from './handlers/meta.ts';
import { permissionHandlers } from './handlers/permissions.ts';
import { nodeHandlers } from './handlers/nodes.ts';
import { providerHandlers } from './handlers/providers.ts';
import { replyHandlers } from './handlers/replies.ts';
import { sessionHandlers } from './handlers/sessions.ts';
import { taskHandlers } from './handlers/tasks.ts';
import { tokenHandlers } from './handlers/tokens.ts';
import { ProblemError, send, sendJson } from './respond.ts';
import { checkSession } from './rights.ts';
import type { Router } from './router.ts';
import { type Caller, stranger } from './tokens.ts';

interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Values of the path's parameters, percent-encoded. */
  readonly values: readonly string[];
  /** The text after the question mark. */
  readonly search: string;
  readonly requestId: string;
  /** In which its body counts. */
  readonly budget: BodyBudget;
  /** Null: one who has shown no token, where none is needed. */
  readonly caller: Caller | null;
}

export interface Endpoint {
  /** For log and figures: the operation, or `hook`. */
  readonly name: string;
  /** Null: no bearer token is asked for; a hook also takes any Host. */
  readonly route: Route | null;
  readonly hook: boolean;
  /** Served also before recovery is done. */
  readonly early: boolean;
  /** Answers what its headers alone already refuse, and says whether it did. */
  refuse?(arrival: Arrival): boolean;
  serve(arrival: Arrival): Promise<void>;
}

const handlers: Handlers = {
  ...taskHandlers,
  ...holdHandlers,
  ...sessionHandlers,
  ...permissionHandlers,
  ...nodeHandlers,
  ...providerHandlers,
  ...replyHandlers,
  ...eventHandlers,
  ...hangHandlers,
  ...tokenHandlers,
  ...metaHandlers,
};

export function addRoutes(router: Router<Endpoint>, services: Services, maxBodyBytes: number): void {
  for (const operation of operations) {
    const { method, path } = routes[operation];
    router.add(method, path, routeEndpoint(operation, handlers[operation], services, maxBodyBytes));
  }
}

function routeEndpoint(operation: Operation, handler: AnyHandler, services: Services, maxBodyBytes: number): Endpoint {
  const route: Route = routes[operation];
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
  const types = [
    'application/json',
    'application/problem+json',
    ...(route.stream ? ['text/event-stream'] : []),
    ...(route.text ? ['text/plain'] : []),
  ];
  return {
    name: operation,
    route: route.scope === null ? null : route,
    hook: false,
    early: !route.path.startsWith('/v1/'),
    async serve({ request, response, values, search, budget, caller }) {
      if (!accepts(request, types)) {
        throw new ProblemError('not_acceptable');
      }
      const params = readParams(route, names, values);
      const query = readSearch(route, search);
      const body =
        route.body === undefined ? undefined : await readJson(route.body, request, { bytes: maxBodyBytes, budget });
      const known = caller ?? stranger;
      const turn = await agentTurn(services.signalbox, known);
      await checkSession(route, { params, query, body }, known, services.signalbox);
      await checkWait(route, { params, query, body, request }, known, services.signalbox);
      write(response, await handler({ params, query, body, request, response, caller: known, turn }, services));
    },
  };
}

function write(response: ServerResponse, answer: Answer<unknown>): void {
  if (answer === 'taken') {
    return;
  }
  if ('empty' in answer) {
    response.writeHead(answer.empty, { 'cache-control': 'no-store' }).end();
  } else if ('text' in answer) {
    send(response, 200, answer.type, answer.text);
  } else {
    sendJson(response, answer.status, answer.body, answer.headers);
  }
}

function readParams(route: Route, names: readonly string[], values: readonly string[]): unknown {
  if (route.params === undefined) {
    return undefined;
  }
  const params: { [name: string]: string } = {};
  for (const [index, name] of names.entries()) {
    try {
      params[name] = decodeURIComponent(values[index] ?? '');
    } catch {
      throw new ProblemError('bad_id', { detail: `The ${name} in the path is not percent-encoded UTF-8.` });
    }
  }
  return check(route.params, params, 'path', 'bad_id');
}

function readSearch(route: Route, search: string): unknown {
  const schema: ObjectSchema = route.query ?? { type: 'object', additionalProperties: false, properties: {} };
  if (search === '' && route.query === undefined) {
    return undefined;
  }
  const query = search === '' ? {} : readQuery(schema, new URLSearchParams(search));
  return check(schema, query, 'query', 'invalid_request');
}

async function readJson(schema: ObjectSchema, request: IncomingMessage, limits: BodyLimits): Promise<unknown> {
  const value = await withBody(request, limits, (body) => parseJsonBody(request, body));
  if (value === undefined && (schema.required ?? []).length > 0) {
    throw new ProblemError('bad_json', { detail: 'A body is needed and there is none.' });
  }
  return check(schema, value ?? {}, 'body', 'invalid_request');
}

function check(schema: ObjectSchema, value: unknown, where: string, code: FixedHintCode): unknown {
  const checked = validate(schema, value);
  if (checked.ok) {
    return checked.value;
  }
  const errors: ProblemFinding[] = checked.findings.map((finding) => ({
    ...finding,
    path: `/${where}${finding.path}`,
  }));
  const first = errors[0];
  // A malformed cursor or position has its own code, if it is the only fault.
  const only =
    errors.length === 1 &&
    (first?.path === '/query/cursor' ||
      (first?.path === '/query/after' && schema.properties['after']?.type === 'string'));
  throw new ProblemError(only ? 'bad_cursor' : code, {
    detail: errors.map(findingText).join(' '),
    errors,
  });
}

/** One sentence, and a second one where there is something to suggest. */
const findingText = ({ path, message, hint }: ProblemFinding): string =>
  `${path} ${message}.${hint === undefined ? '' : ` ${hint}`}`;

export function hookEndpoint(hook: HookHandler): Endpoint {
  return {
    name: 'hook',
    route: null,
    hook: true,
    early: false,
    refuse(arrival) {
      const answer = hook.refuse(hookHead(arrival));
      if (answer === null) {
        return false;
      }
      sendHookAnswer(arrival.response, answer);
      discard(arrival.request);
      return true;
    },
    async serve(arrival) {
      const delivery = hook.receive(hookHead(arrival));
      const limits = { bytes: hook.bodyLimit, budget: arrival.budget };
      const answer = await withBody(arrival.request, limits, async (body) => delivery.handle(body), delivery);
      sendHookAnswer(arrival.response, answer);
    },
  };
}

function hookHead({ request, requestId }: Arrival): HookHead {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
  return { headers, remote: request.socket.remoteAddress ?? '', requestId };
}

function sendHookAnswer(response: ServerResponse, answer: HookResponse): void {
  if (!Number.isInteger(answer.status) || answer.status < 200 || answer.status > 599) {
    throw new AppError({ code: 'invariant_broken', message: `a hook answered with status ${answer.status}` });
  }
  sendJson(response, answer.status, answer.body, answer.headers);
}

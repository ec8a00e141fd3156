/**
 * Calls of the HTTP API by the name of the route, for commands that ask once and print. `client` does this too, over the
 * global `fetch`, which alone takes as long to load as a command may take to start; what follows events uses it.
 */
import { AppError } from '../core/errors.ts';
import { fillPath, writeQuery } from '../protocol/query.ts';
import type { ROUTES } from '../protocol/routes.ts';
import type { FeedPage, TapePage } from '../protocol/events.ts';
import type {
  ByRequest,
  EvictRequest,
  ParkRequest,
  SessionPage,
  SessionView,
  StopReceipt,
  StopRequest,
} from '../protocol/sessions.ts';
import type {
  CancelReceipt,
  CancelRequest,
  EditRequest,
  Explanation,
  MoveRequest,
  Ok,
  SubmitReceipt,
  SubmitRequest,
  TaskPage,
  TaskView,
} from '../protocol/tasks.ts';
import type { Target } from './target.ts';
import type { HttpResponse } from './transport.ts';
import { send } from './transport.ts';

/** What each route answers, and takes; by hand, since the compiler cannot infer it from the whole table of routes. */
interface Answers {
  readonly submitTask: SubmitReceipt;
  readonly listTasks: TaskPage;
  readonly getTask: TaskView;
  readonly editTask: Ok;
  readonly moveTask: Ok;
  readonly cancelTask: CancelReceipt;
  readonly explainTask: Explanation;
  readonly taskEvents: TapePage;
  readonly listSessions: SessionPage;
  readonly getSession: SessionView;
  readonly sessionEvents: FeedPage;
  readonly allEvents: FeedPage;
  readonly stopSession: StopReceipt;
  readonly evictSession: Ok;
  readonly parkSession: Ok;
  readonly unparkSession: Ok;
  readonly restartAgent: Ok;
}

type Known = keyof Answers;

/** From the table of routes, which brings all schemas along; this does not compile where it says something else. */
const routes = {
  submitTask: ['POST', '/v1/tasks'],
  listTasks: ['GET', '/v1/tasks'],
  getTask: ['GET', '/v1/tasks/{id}'],
  editTask: ['PATCH', '/v1/tasks/{id}'],
  moveTask: ['POST', '/v1/tasks/{id}/move'],
  cancelTask: ['POST', '/v1/tasks/{id}/cancel'],
  explainTask: ['GET', '/v1/tasks/{id}/explain'],
  taskEvents: ['GET', '/v1/tasks/{id}/events'],
  listSessions: ['GET', '/v1/sessions'],
  getSession: ['GET', '/v1/sessions/{key}'],
  sessionEvents: ['GET', '/v1/sessions/{key}/events'],
  stopSession: ['POST', '/v1/sessions/{key}/stop'],
  evictSession: ['POST', '/v1/sessions/{key}/evict'],
  parkSession: ['POST', '/v1/sessions/{key}/park'],
  unparkSession: ['POST', '/v1/sessions/{key}/unpark'],
  restartAgent: ['POST', '/v1/sessions/{key}/restart-agent'],
  allEvents: ['GET', '/v1/events'],
} as const satisfies {
  readonly [O in Known]: readonly [(typeof ROUTES)[O]['method'], (typeof ROUTES)[O]['path']];
};

interface Bodies {
  readonly submitTask: SubmitRequest;
  readonly editTask: EditRequest;
  readonly moveTask: MoveRequest;
  readonly cancelTask: CancelRequest;
  readonly stopSession: StopRequest;
  readonly evictSession: EvictRequest;
  readonly parkSession: ParkRequest;
  readonly unparkSession: ByRequest;
  readonly restartAgent: ByRequest;
}

export type Ask<O extends Known> = Omit<Parts, 'body'> &
  (O extends keyof Bodies ? { readonly body: Bodies[O] } : unknown);

interface Parts {
  readonly params?: Readonly<{ [name: string]: string }>;
  readonly query?: Readonly<{ [name: string]: unknown }>;
  readonly body?: unknown;
  readonly headers?: Readonly<{ [name: string]: string }>;
}

export interface Api {
  readonly target: Target;
  /** Throws `AppError` with the code of the problem document, or `unreachable`. */
  call<O extends Known>(operation: O, ask: Ask<O>): Promise<Answers[O]>;
}

export function apiOf(target: Target): Api {
  const request = (operation: Known, parts: Parts): Promise<HttpResponse> => {
    const [method, path] = routes[operation];
    const url = new URL(fillPath(path, parts.params) + writeQuery(parts.query), target.url);
    const body = parts.body === undefined ? null : JSON.stringify(parts.body);
    return send({
      method,
      url,
      body,
      headers: {
        accept: 'application/json',
        ...(target.token === null ? {} : { authorization: `Bearer ${target.token}` }),
        ...(body === null ? {} : { 'content-type': 'application/json' }),
        ...parts.headers,
      },
    });
  };
  return {
    target,
    async call<O extends Known>(operation: O, ask: Ask<O>): Promise<Answers[O]> {
      const response = await request(operation, ask);
      if (response.status >= 400) throw problemOf(response.status, response.body, target);
      return jsonOf(response.body, target) as Answers[O];
    },
  };
}

const notOurs = (status: number, target: Target): AppError =>
  new AppError({ code: 'bad_response', message: `${target.url} answered ${status}, and not as Signalbox does` });

function jsonOf(text: string, target: Target): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw notOurs(200, target);
  }
}

/** A problem document as the error that the daemon meant; with every place where the request did not fit. */
function problemOf(status: number, text: string, target: Target): AppError {
  let document: { readonly [name: string]: unknown };
  try {
    document = JSON.parse(text) as typeof document;
  } catch {
    return notOurs(status, target);
  }
  const { code, detail, hint, retryable, errors } = document;
  if (typeof code !== 'string') return notOurs(status, target);
  const places = (
    Array.isArray(errors) ? (errors as readonly { path?: string; message?: string; hint?: string }[]) : []
  ).map(
    (place) => `\n  ${place.path ?? ''} ${place.message ?? ''}${place.hint === undefined ? '' : `. ${place.hint}`}`,
  );
  return new AppError({
    code,
    message: `${String(detail)}${places.join('')}`,
    hint: typeof hint === 'string' ? hint : '',
    retryable: retryable === true,
  });
}

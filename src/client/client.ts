/** A method for each route of the HTTP API, and iterators that follow events. Uses nothing but `fetch`. */
import type {
  RespondRequest,
  PermissionRequestList,
  CancelReceipt,
  CancelRequest,
  AssignmentReceipt,
  AssignRequest,
  ConversationReceipt,
  EditRequest,
  EvictRequest,
  Explanation,
  FeedPage,
  HangList,
  HangReport,
  MoveRequest,
  OpenTasks,
  NodeList,
  ProviderList,
  QueryOf,
  Reply,
  ReplyPage,
  ReadEvent,
  ReadFeedEvent,
  SentEvent,
  SentFeedEvent,
  SessionPage,
  SessionView,
  StopReceipt,
  StopRequest,
  SubmitReceipt,
  SubmitRequest,
  TapePage,
  TaskPage,
  NewToken,
  TaskView,
  TokenList,
  TokenRequest,
} from '../protocol/index.ts';
import type { AppError } from '../core/errors.ts';
import { readEvent } from '../protocol/events/read.ts';
import { waitMax } from '../protocol/routes/route.ts';
import { badResponse } from './errors.ts';
import { type Hold, type HoldOptions, holdTask } from './hold.ts';
import type { ClientOptions } from './http.ts';
import { Http } from './http.ts';
import { persist } from './persist.ts';
import type { Message, StreamPlan } from './stream.ts';
import { followStream } from './stream.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface SubmitOptions extends CallOptions {
  /** A second submit with the same key returns the first task. Without one, do not repeat a submit whose answer was lost. */
  readonly idempotencyKey?: string;
}

export interface FollowOptions extends CallOptions {
  /** Told of every break, with the milliseconds until the next try. */
  readonly onBreak?: (error: AppError, retryMs: number) => void;
}

export type Client = ReturnType<typeof createClient>;

/**
 * Every method throws `ApiError` when the server refuses (code and hint are its own), and an `AppError` with code
 * `unreachable`, `bad_response` or `aborted` when there is no answer of the server's.
 */
export function createClient(options: ClientOptions) {
  const http = new Http(options);
  const get = <T>(path: Promise<unknown>): Promise<T> => path as Promise<T>;
  return {
    baseUrl: http.baseUrl,
    ...taskCalls(http, get),
    ...holdCalls(http),
    ...sessionCalls(http, get),
    ...permissionCalls(http, get),
    ...nodeCalls(http, get),
    ...providerCalls(http, get),
    ...replyCalls(http, get),
    ...hangCalls(http, get),
    ...tokenCalls(http, get),
    ...eventCalls(http, get, options),
    health: (call: CallOptions = {}) => get<{ readonly status: 'ok' }>(http.json('health', call)),
    ready: (call: CallOptions = {}) => get<{ readonly status: 'ready' }>(http.json('ready', call)),
    openapi: (call: CallOptions = {}) => get<{ readonly [name: string]: unknown }>(http.json('openapi', call)),
    metrics: (call: CallOptions = {}) => http.text('metrics', { ...call, accept: 'text/plain' }),
  };
}

type Get = <T>(answer: Promise<unknown>) => Promise<T>;
type Ok = { readonly ok: true };

function taskCalls(http: Http, get: Get) {
  return {
    submit(body: SubmitRequest, { idempotencyKey, ...call }: SubmitOptions = {}): Promise<SubmitReceipt> {
      const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
      return get(http.json('submitTask', { body, headers, ...call }));
    },
    tasks: (query: QueryOf<'listTasks'> = {}, call: CallOptions = {}): Promise<TaskPage> =>
      get(http.json('listTasks', { query, ...call })),
    openTasks: (call: CallOptions = {}): Promise<OpenTasks> => get(http.json('openTasks', call)),
    task: (id: string, call: CallOptions = {}): Promise<TaskView> =>
      get(http.json('getTask', { params: { id }, ...call })),
    /** Resolves with the ended task, over broken connections. The daemon must answer the first time. */
    async result(id: string, { signal }: CallOptions = {}): Promise<TaskView> {
      const look = (wait: number) => http.json('getTask', { params: { id }, query: { wait }, signal });
      let task = (await look(0)) as TaskView;
      while (task.endedAt === null) {
        task = await persist<TaskView>(http, signal, () => look(waitMax));
      }
      return task;
    },
    edit: (id: string, body: EditRequest, call: CallOptions = {}): Promise<Ok> =>
      get(http.json('editTask', { params: { id }, body, ...call })),
    move: (id: string, body: MoveRequest, call: CallOptions = {}): Promise<Ok> =>
      get(http.json('moveTask', { params: { id }, body, ...call })),
    cancel: (id: string, body: CancelRequest = {}, call: CallOptions = {}): Promise<CancelReceipt> =>
      get(http.json('cancelTask', { params: { id }, body, ...call })),
    explain: (id: string, call: CallOptions = {}): Promise<Explanation> =>
      get(http.json('explainTask', { params: { id }, ...call })),
  };
}

function holdCalls(http: Http) {
  return {
    /** Claims an external task, and resolves when this program has the session for it. */
    holdTask: (id: string, options: HoldOptions = {}): Promise<Hold> => holdTask(http, id, options),
    /** Submits an external task, and resolves when this program has the session for it. A wait that is aborted cancels the task. */
    async hold(session: string, request: HoldSubmit = {}, options: HoldOptions = {}): Promise<Hold> {
      const body: SubmitRequest = { prompt: '', ...request, mode: 'external', session };
      const { task } = (await http.json('submitTask', { body, signal: options.signal })) as SubmitReceipt;
      try {
        return await holdTask(http, task, options);
      } catch (error) {
        // What the caller learns is why it has no hold. A task that is not cancelled waits for another holder, or expires.
        await http.json('cancelTask', { params: { id: task }, body: { reason: 'abandoned' } }).catch(() => {});
        throw error;
      }
    },
  };
}

/** What a hold is submitted with: all that a task may say, but for its mode. */
export type HoldSubmit = Partial<Omit<SubmitRequest, 'session' | 'mode' | 'runner'>>;

function sessionCalls(http: Http, get: Get) {
  return {
    sessions: (query: QueryOf<'listSessions'> = {}, call: CallOptions = {}): Promise<SessionPage> =>
      get(http.json('listSessions', { query, ...call })),
    session: (key: string, call: CallOptions = {}): Promise<SessionView> =>
      get(http.json('getSession', { params: { key }, ...call })),
    stop: (key: string, body: StopRequest, call: CallOptions = {}): Promise<StopReceipt> =>
      get(http.json('stopSession', { params: { key }, body, ...call })),
    evict: (key: string, body: EvictRequest = {}, call: CallOptions = {}): Promise<Ok> =>
      get(http.json('evictSession', { params: { key }, body, ...call })),
    park: (key: string, reason: string, by?: string, call: CallOptions = {}): Promise<Ok> =>
      get(http.json('parkSession', { params: { key }, body: { reason, ...whose(by) }, ...call })),
    unpark: (key: string, by?: string, call: CallOptions = {}): Promise<Ok> =>
      get(http.json('unparkSession', { params: { key }, body: whose(by), ...call })),
    restartAgent: (key: string, by?: string, call: CallOptions = {}): Promise<Ok> =>
      get(http.json('restartAgent', { params: { key }, body: whose(by), ...call })),
    newConversation: (key: string, by?: string, call: CallOptions = {}): Promise<ConversationReceipt> =>
      get(http.json('newConversation', { params: { key }, body: whose(by), ...call })),
    /** Another agent does not know the conversation: the receipt says so. */
    assignAgent: (key: string, body: AssignRequest, call: CallOptions = {}): Promise<AssignmentReceipt> =>
      get(http.json('assignAgent', { params: { key }, body, ...call })),
  };
}

function permissionCalls(http: Http, get: Get) {
  return {
    /** The permission requests of all sessions that wait for a person, oldest first. */
    permissionRequests: (call: CallOptions = {}): Promise<PermissionRequestList> =>
      get(http.json('listPermissionRequests', call)),
    /** Allows or denies a permission request. */
    respond: (session: string, body: RespondRequest, call: CallOptions = {}): Promise<Ok> =>
      get(http.json('respondToPermissionRequest', { params: { key: session }, body, ...call })),
  };
}

function providerCalls(http: Http, get: Get) {
  return {
    providers: (call: CallOptions = {}): Promise<ProviderList> => get(http.json('listProviders', call)),
    resumeProvider: (name: string, call: CallOptions = {}): Promise<Ok> =>
      get(http.json('resumeProvider', { params: { name }, ...call })),
  };
}

function replyCalls(http: Http, get: Get) {
  return {
    /** The messages that go out, newest first. */
    replies: (query: QueryOf<'listReplies'> = {}, call: CallOptions = {}): Promise<ReplyPage> =>
      get(http.json('listReplies', { query, ...call })),
    resendReply: (id: string, call: CallOptions = {}): Promise<Reply> =>
      get(http.json('resendReply', { params: { id }, ...call })),
    dropReply: (id: string, call: CallOptions = {}): Promise<Reply> =>
      get(http.json('dropReply', { params: { id }, ...call })),
  };
}

function nodeCalls(http: Http, get: Get) {
  return {
    /** The daemons that share the store; none where it is not shared. */
    nodes: (call: CallOptions = {}): Promise<NodeList> => get(http.json('listNodes', call)),
    drainNode: (name: string, call: CallOptions = {}): Promise<Ok> =>
      get(http.json('drainNode', { params: { name }, ...call })),
    resumeNode: (name: string, call: CallOptions = {}): Promise<Ok> =>
      get(http.json('resumeNode', { params: { name }, ...call })),
  };
}

function hangCalls(http: Http, get: Get) {
  return {
    hangs: (call: CallOptions = {}): Promise<HangList> => get(http.json('listHangs', call)),
    hang: (id: string, call: CallOptions = {}): Promise<HangReport> =>
      get(http.json('getHang', { params: { id }, ...call })),
    /** Takes one now. A daemon whose main loop is blocked does not answer: its launcher does, to `signalbox doctor --live`. */
    takeHang: (call: CallOptions = {}): Promise<HangReport> => get(http.json('takeHang', call)),
  };
}

function tokenCalls(http: Http, get: Get) {
  return {
    tokens: (call: CallOptions = {}): Promise<TokenList> => get(http.json('listTokens', call)),
    /** The answer is the only place where its secret is shown. */
    makeToken: (body: TokenRequest, call: CallOptions = {}): Promise<NewToken> =>
      get(http.json('makeToken', { body, ...call })),
    revokeToken: (name: string, call: CallOptions = {}): Promise<Ok> =>
      get(http.json('revokeToken', { params: { name }, ...call })),
  };
}

const whose = (by: string | undefined): { by?: string } => (by === undefined ? {} : { by });

function eventCalls(http: Http, get: Get, options: ClientOptions) {
  const plan = { silenceMs: options.silenceMs ?? 45_000, random: options.random ?? Math.random };
  return {
    taskEvents: (id: string, query: QueryOf<'taskEvents'> = {}, call: CallOptions = {}): Promise<TapePage<ReadEvent>> =>
      get(http.json('taskEvents', { params: { id }, query, ...call }).then(readTapePage)),
    sessionEvents: (
      key: string,
      query: QueryOf<'sessionEvents'> = {},
      call: CallOptions = {},
    ): Promise<FeedPage<ReadFeedEvent>> =>
      get(http.json('sessionEvents', { params: { key }, query, ...call }).then(readFeedPage)),
    events: (query: QueryOf<'allEvents'> = {}, call: CallOptions = {}): Promise<FeedPage<ReadFeedEvent>> =>
      get(http.json('allEvents', { query, ...call }).then(readFeedPage)),

    /** A task's tape from `after` (exclusive, default 0) to its `final`: every event once, in order, over broken connections. */
    follow(
      id: string,
      { after = 0, signal, onBreak }: FollowOptions & { readonly after?: number } = {},
    ): AsyncGenerator<ReadEvent, void, undefined> {
      const tape = tapeReader(http, after);
      return followStream(http, {
        ...plan,
        ...tape,
        operation: 'taskEvents',
        parts: { params: { id } },
        after: String(after),
        signal,
        onBreak,
      });
    },
    /** All events of a session, its tasks included, for as long as the caller iterates. `now`: only new events. */
    followSession: (key: string, follow: FeedFollowOptions = {}) =>
      followFeed(http, 'sessionEvents', { key }, follow, plan),
    /** All events of all sessions. */
    followAll: (follow: FeedFollowOptions = {}) => followFeed(http, 'allEvents', {}, follow, plan),
  };
}

export interface FeedFollowOptions extends FollowOptions {
  /** Position to begin after; left out: from the beginning; `now`: from now on. */
  readonly after?: string;
}

const readTapePage = (page: unknown): TapePage<ReadEvent> => {
  const { items, ...rest } = page as TapePage<SentEvent>;
  return { ...rest, items: items.map((item) => readEvent(item)) };
};

const readFeedPage = (page: unknown): FeedPage<ReadFeedEvent> => {
  const { items, ...rest } = page as FeedPage<SentFeedEvent>;
  return { ...rest, items: items.map((item) => readEvent(item)) };
};

/** Tapes are dense: the next event is number `last + 1`, and anything else is a repeat or a gap. */
function tapeReader(http: Http, after: number): Pick<StreamPlan<ReadEvent>, 'accept' | 'isLast'> {
  let last = after;
  return {
    accept(message: Message): ReadEvent | null {
      const event = readEvent(message.data as SentEvent);
      if (event.seq <= last) {
        return null;
      }
      if (event.seq !== last + 1) {
        throw badResponse(http.baseUrl, 502, `event ${event.seq} after event ${last}`);
      }
      last = event.seq;
      return event;
    },
    // By its name: it ends the tape also where a later version has changed its data.
    isLast: (event) => event.type === 'final' || (event.kind === 'unknown' && event.name === 'final'),
  };
}

/** `now` is fixed before the first connection, so that a break of it loses nothing. */
async function* followFeed(
  http: Http,
  operation: 'sessionEvents' | 'allEvents',
  params: { readonly [name: string]: string },
  { after, signal, onBreak }: FeedFollowOptions,
  plan: Pick<StreamPlan<ReadFeedEvent>, 'silenceMs' | 'random'>,
): AsyncGenerator<ReadFeedEvent, void, undefined> {
  let start = after ?? null;
  if (after === 'now') {
    const page = (await http.json(operation, {
      params,
      query: { after, limit: 1 },
      signal,
    })) as FeedPage<SentFeedEvent>;
    start = page.next;
  }
  yield* followStream(http, {
    ...plan,
    operation,
    parts: { params },
    after: start,
    accept: (message) => readEvent(message.data as SentFeedEvent),
    isLast: () => false,
    signal,
    onBreak,
  });
}

/** Events: JSON pages, long polls, and streams. */
import type { FeedPage, QueryOf, TapePage } from '../../protocol/index.ts';
import { PositionSchema, validate } from '../../protocol/index.ts';
import type { Answer, Call, Handlers, Services } from '../context.ts';
import type { Cursor } from '../events/source.ts';
import { feedSource, taskSource } from '../events/source.ts';
import { ProblemError } from '../respond.ts';
import { AppError } from '../../core/errors.ts';
import { wantsStream } from '../accept.ts';
import { sessionOf } from './sessions.ts';
import { taskOf } from './tasks.ts';

type EventOperation = 'taskEvents' | 'sessionEvents' | 'allEvents';

export const eventHandlers: Handlers<EventOperation> = {
  async taskEvents({ params, query, request, response }, { signalbox, streams }) {
    const task = await taskOf(signalbox, params.id);
    const source = taskSource(signalbox, task);
    if (wantsStream(request)) {
      const after = seqAfter(request.headers['last-event-id'], query.after ?? 0, task.seq);
      // 204 makes an EventSource stop reconnecting.
      if (task.endedAt !== null && after === task.seq) {
        return { empty: 204 };
      }
      streams.open(request, response, source, after);
      return 'taken';
    }
    const after = query.after ?? 0;
    const read = async (): Promise<TapePage> => {
      const events = await signalbox.tape(task.session, task.row.id, after, query.limit ?? 100);
      const last = events.at(-1);
      const final = last === undefined ? task.endedAt !== null && after >= task.seq : last.type === 'final';
      return { items: events, next: last?.seq ?? after, final };
    };
    const body = await streams.wait(response, source, query.wait ?? 0, read, (page) => page.final || hasItems(page));
    return { status: 200, body };
  },

  async sessionEvents(call, services) {
    const session = await sessionOf(services.signalbox, call.params.key);
    return feed(call, services, session.key);
  },

  allEvents: (call, services) => feed(call, services, null),
};

const hasItems = ({ items }: { readonly items: readonly unknown[] }): boolean => items.length > 0;

type FeedCall = Pick<Call<'allEvents'>, 'query' | 'request' | 'response'>;

async function feed(call: FeedCall, services: Services, session: string | null): Promise<Answer<FeedPage>> {
  const { query, request, response } = call;
  const { signalbox, streams } = services;
  const source = feedSource(signalbox, session);
  if (wantsStream(request)) {
    streams.open(request, response, source, await positionAfter(call, services, session));
    return 'taken';
  }
  const after = await startOf(query, services, session);
  const read = async (): Promise<FeedPage> => {
    const events = await signalbox.feed(session, after, query.limit ?? 100);
    return { items: events, next: events.at(-1)?.position ?? after };
  };
  return { status: 200, body: await streams.wait(response, source, query.wait ?? 0, read, hasItems) };
}

async function startOf(
  query: QueryOf<'allEvents'>,
  { signalbox }: Services,
  session: string | null,
): Promise<string | null> {
  return query.after === 'now' ? signalbox.feedEnd(session) : (query.after ?? null);
}

/** Rejects an unknown position before the stream begins, because a status can only be sent then. */
async function positionAfter(call: FeedCall, services: Services, session: string | null): Promise<Cursor> {
  const header = call.request.headers['last-event-id'];
  if (header === undefined || header === '') {
    const after = await startOf(call.query, services, session);
    if (after !== null) {
      await services.signalbox.feed(session, after, 1);
    }
    return after;
  }
  const checked = validate(PositionSchema, header);
  if (!checked.ok) {
    throw new ProblemError('bad_last_event_id');
  }
  try {
    await services.signalbox.feed(session, checked.value, 1);
  } catch (error) {
    if (error instanceof AppError && error.code === 'bad_cursor') {
      throw new ProblemError('bad_last_event_id', { detail: error.message });
    }
    throw error;
  }
  return checked.value;
}

/** A reader cannot have read what was not written: an id past the end is another tape's. */
function seqAfter(header: string | readonly string[] | undefined, after: number, seq: number): number {
  if (header === undefined || header === '') {
    if (after > seq) {
      throw new ProblemError('bad_cursor', { detail: `The tape ends at ${seq}, before ${after}.` });
    }
    return after;
  }
  const last = typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : Number.NaN;
  if (!(last <= seq)) {
    throw new ProblemError('bad_last_event_id', { detail: `The tape ends at ${seq}.` });
  }
  return last;
}

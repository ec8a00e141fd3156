/**
 * Follows events over connections that break.
 *
 * Owned by one `follow` iteration; it has at most one connection at a time, and none once the iteration has ended.
 *  client-stream/1 Every event is yielded once, in order: the next connection asks for what comes after the last id
 *                  yielded.
 *  client-stream/2 A break, a `cut`, a `bye`, silence, and an answer that says "later" are followed by another try, later
 *                  and later (with jitter) while nothing arrives. Any other refusal ends the iteration with its error.
 *  client-stream/3 The first connection must succeed: a missing daemon is an immediate error.
 */
import { createParser } from 'eventsource-parser';
import { AppError } from '../core/errors.ts';
import { aborted, badResponse, unreachable } from './errors.ts';
import type { CallParts, Http } from './http.ts';
import type { Operation } from '../protocol/index.ts';

const backoffFirstMs = 100;
const backoffMaxMs = 10_000;

export interface Message {
  readonly id: string;
  readonly data: unknown;
}

export interface StreamPlan<E> {
  readonly operation: Operation;
  readonly parts: CallParts;
  /** Id to begin after; null: as the query says. */
  readonly after: string | null;
  /** The event of a message; null: it has been yielded before. Throws when something is missing before it. */
  readonly accept: (message: Message) => E | null;
  /** Nothing will come after this event. */
  readonly isLast: (event: E) => boolean;
  readonly silenceMs: number;
  readonly random: () => number;
  readonly signal: AbortSignal | undefined;
  /** Told of every break, with the time until the next try. */
  readonly onBreak?: ((error: AppError, retryMs: number) => void) | undefined;
}

export async function* followStream<E>(http: Http, plan: StreamPlan<E>): AsyncGenerator<E, void, undefined> {
  let lastId = plan.after;
  let connected = false;
  let fruitless = 0;
  for (;;) {
    let failure: AppError;
    try {
      const response = await open(http, plan, lastId);
      connected = true;
      // The tape had ended where this reader stands.
      if (response.status === 204) {
        return;
      }
      for await (const message of messages(http, response, plan)) {
        const event = plan.accept(message);
        if (event === null) {
          continue;
        }
        lastId = message.id;
        fruitless = 0;
        yield event;
        if (plan.isLast(event)) {
          return;
        }
      }
      failure = unreachable(http.baseUrl, new Error('the stream ended'));
    } catch (error) {
      if (!(error instanceof AppError) || !error.retryable || (!connected && error.code === 'unreachable')) {
        throw error;
      }
      failure = error;
    }
    const retryMs = Math.min(backoffMaxMs, backoffFirstMs * 2 ** Math.min(fruitless, 20)) * (0.5 + plan.random() / 2);
    fruitless++;
    plan.onBreak?.(failure, retryMs);
    await http.pause(retryMs, plan.signal);
  }
}

async function open<E>(http: Http, plan: StreamPlan<E>, lastId: string | null): Promise<Response> {
  const headers: { [name: string]: string } = lastId === null ? {} : { 'last-event-id': lastId };
  const response = await http.send(plan.operation, {
    ...plan.parts,
    headers,
    accept: 'text/event-stream',
    signal: plan.signal,
  });
  const type = response.headers.get('content-type') ?? '';
  if (response.status !== 204 && !type.startsWith('text/event-stream')) {
    await response.body?.cancel();
    throw badResponse(http.baseUrl, response.status, type || 'no content type');
  }
  return response;
}

/** Messages with an id, until the connection ends; one that says why it was ended is thrown as a retryable error. */
async function* messages<E>(
  http: Http,
  response: Response,
  plan: StreamPlan<E>,
): AsyncGenerator<Message, void, undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) {
    return;
  }
  const ready: Message[] = [];
  let notice: AppError | null = null;
  const parser = createParser({
    onEvent({ id, event, data }) {
      if (event === 'cut' || event === 'bye') {
        notice = unreachable(http.baseUrl, new Error(`the stream was ended: ${data}`));
      } else if (id !== undefined && event === undefined) {
        ready.push({ id, data: parse(http, data) });
      }
    },
  });
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const chunk = await readWithin(http, reader, plan);
      if (chunk === null) {
        break;
      }
      parser.feed(decoder.decode(chunk, { stream: true }));
      for (const message of ready.splice(0)) {
        yield message;
      }
      if (notice !== null) {
        throw notice as AppError;
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function parse(http: Http, data: string): unknown {
  try {
    return JSON.parse(data) as unknown;
  } catch {
    throw badResponse(http.baseUrl, 200, 'an event that is not JSON');
  }
}

async function readWithin<E>(
  http: Http,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  plan: StreamPlan<E>,
): Promise<Uint8Array | null> {
  let silent = false;
  const stop = http.timer(plan.silenceMs, () => {
    silent = true;
    reader.cancel().catch(() => {});
  });
  try {
    const { done, value } = await reader.read();
    if (silent) {
      throw unreachable(http.baseUrl, new Error(`silent for ${plan.silenceMs} ms`));
    }
    return done ? null : value;
  } catch (error) {
    if (plan.signal?.aborted === true) {
      throw aborted(plan.signal);
    }
    throw error instanceof AppError ? error : unreachable(http.baseUrl, error);
  } finally {
    stop();
  }
}

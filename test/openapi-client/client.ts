/**
 * A user's program: types that openapi-typescript made of /openapi.json, requests by openapi-fetch. It submits with three fields, waits for the
 * end, and reads the events by their types. `test/server/openapi.test.ts` compiles and runs it.
 */
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.js';

const [baseUrl = '', token = ''] = process.argv.slice(2);
/** Events come as JSON pages, not as a stream. */
type Media = 'application/json' | 'application/problem+json';
const client = createClient<paths, Media>({ baseUrl, headers: { authorization: `Bearer ${token}` } });

/** As the client reads it. */
type TapeEvent = NonNullable<typeof read.data>['items'][number];

/** What a person would show of an event. The compiler knows the data of each type. */
function textOf(event: TapeEvent): string {
  switch (event.type) {
    case 'queued':
      return `${event.data.lane}: ${event.data.title}`;
    case 'output':
      return event.data.part.kind === 'text' ? event.data.part.text : event.data.part.kind;
    case 'turn-ended':
      return event.data.outcome;
    case 'final':
      return `${event.data.status}: ${event.data.answer?.text ?? ''}`;
    default:
      return event.type;
  }
}

const submitted = await client.POST('/v1/tasks', {
  body: { session: 'github:acme/app', prompt: 'Say hello', lane: 'background' },
});
if (submitted.error !== undefined) {
  throw new Error(submitted.error.detail);
}
const params = { path: { id: submitted.data.task } };

const waited = await client.GET('/v1/tasks/{id}', { params: { ...params, query: { wait: 30 } } });
const read = await client.GET('/v1/tasks/{id}/events', { params });
const refused = await client.GET('/v1/tasks/{id}', { params: { path: { id: 'none' } } });

console.log(
  JSON.stringify({
    status: waited.data?.status,
    answer: waited.data?.final?.answer?.text,
    events: read.data?.items.map((event) => [event.type, textOf(event)]),
    refused: refused.error?.code,
  }),
);

/** What must not compile. */
export const mistakes = {
  // @ts-expect-error: a submit needs a prompt
  without: () => client.POST('/v1/tasks', { body: { session: 's' } }),
  // @ts-expect-error: there is no such member
  misspelt: { session: 's', prompt: 'p', lain: 'background' } satisfies components['schemas']['SubmitRequest'],
  // @ts-expect-error: there is no such lane
  lane: () => client.POST('/v1/tasks', { body: { session: 's', prompt: 'p', lane: 'fast' } }),
  // @ts-expect-error: the status of a queued event is not known
  status: (event: TapeEvent & { type: 'queued' }) => event.data.status,
};

/** The body of a push message. The words of an answer are cut beyond a bound, and the body says so. */
import type { OutgoingMessage } from '../../runtime/outbox/door.ts';

/** Characters of the answer. `GET /v1/tasks/{id}` has the whole. */
const textMax = 200_000;

export function payloadOf({ row, event, task }: OutgoingMessage): string {
  const { session, seq, type, at } = row;
  const about =
    task === null ? null : { source: task.payload.source, author: task.payload.author, labels: task.payload.labels };
  const data = { session, task: row.task, seq, ...about, event: event === null ? row.data : fitted(event.data) };
  return JSON.stringify({ type, timestamp: new Date(at).toISOString(), data });
}

function fitted(data: object): object {
  const answer: unknown = 'answer' in data ? data.answer : null;
  if (typeof answer !== 'object' || answer === null || !('text' in answer) || typeof answer.text !== 'string') {
    return data;
  }
  const { text } = answer;
  return text.length <= textMax
    ? data
    : { ...data, answer: { ...answer, text: text.slice(0, textMax), textLength: text.length, cut: true } };
}

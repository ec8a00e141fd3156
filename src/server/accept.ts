/** Reads the Accept header as far as this API needs it. */
import type { IncomingMessage } from 'node:http';

function accepted(request: IncomingMessage): readonly string[] {
  return (request.headers.accept ?? '*/*')
    .split(',')
    .filter((range) => !/;\s*q=0(\.0*)?\s*(;|$)/i.test(range))
    .map((range) => (range.split(';', 1)[0] ?? '').trim().toLowerCase());
}

/** Streams are only for those who ask by name; `*` means a page. */
export function wantsStream(request: IncomingMessage): boolean {
  const { accept } = request.headers;
  // HEAD has no body to stream.
  if (request.method !== 'GET') {
    return false;
  }
  return accept?.includes('event-stream') === true && accepted(request).includes('text/event-stream');
}

/** Whether one of the types, or a range that holds it, is accepted. */
export function accepts(request: IncomingMessage, types: readonly string[]): boolean {
  const { accept } = request.headers;
  if (accept === undefined || accept === '*/*') {
    return true;
  }
  const ranges = accepted(request);
  return types.some(
    (type) => ranges.includes(type) || ranges.includes('*/*') || ranges.includes(`${type.split('/', 1)[0]}/*`),
  );
}

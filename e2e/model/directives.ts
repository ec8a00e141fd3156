/**
 * What the fake model does is said in the prompt, so one server plays for many sessions at once and keeps no state of theirs:
 *
 *     [[text:hello]]                        says that
 *     [[think:so|then]]                     thinks the first, says the second
 *     [[slow:20,100]]                       20 pieces, 100 ms between them: `c0 c1 …`
 *     [[hang]]                              headers and one piece, then silence with an open connection
 *     [[hang0]]                             takes the request and never answers a byte
 *     [[drop]]                              headers and one piece, then the connection breaks
 *     [[status:529:overloaded_error]]       this HTTP error each time; a third part is `retry-after` in seconds
 *     [[flaky:2:429:rate_limit_error:1]]    this HTTP error two times, then an answer
 *     [[midError:overloaded_error]]         one piece, then an error in the stream
 *     [[tool:NAME:{"a":1}]]                 a call of that tool
 *     [[refusal]]                           the model declines
 *
 * Several are steps: the one in place n is played when n tool results follow the text that holds them. The newest text of
 * a user counts that has any.
 */
import type { Item } from './conversation.ts';

export type Play =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'think'; readonly thought: string; readonly text: string }
  | { readonly kind: 'slow'; readonly pieces: number; readonly gapMs: number }
  | { readonly kind: 'hang' | 'hang0' | 'drop' | 'refusal' }
  | ({ readonly kind: 'status' } & HttpFailure)
  | ({ readonly kind: 'flaky'; readonly times: number } & HttpFailure)
  | { readonly kind: 'midError'; readonly error: string }
  | { readonly kind: 'tool'; readonly name: string; readonly input: string };

export interface HttpFailure {
  readonly status: number;
  readonly error: string;
  /** Seconds; null: no such header. */
  readonly retryAfter: number | null;
}

/** A directive that means nothing: the test that holds it is wrong, and must not pass by luck. */
export class BadDirective extends Error {}

const opening = /\[\[(text|think|slow|hang0|hang|drop|status|flaky|midError|tool|refusal)(?=:|\]\])/g;

/** Where the directive's argument ends: at `]]`, of a tool at the `]]` behind its JSON. */
function endOf(text: string, from: number, name: string): number {
  for (let end = text.indexOf(']]', from); end !== -1; end = text.indexOf(']]', end + 1)) {
    if (name !== 'tool' || isJson(text.slice(from, end).replace(/^:[^:]*:/, ''))) {
      return end;
    }
  }
  throw new BadDirective(`[[${name}${text.slice(from, from + 60)}: it has no end, or its input is no JSON`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Throws `BadDirective`. */
export function parsePlays(text: string): readonly Play[] {
  const plays: Play[] = [];
  let after = 0;
  for (const match of text.matchAll(opening)) {
    // An opening inside the argument of the one before is that one's text.
    if (match.index < after) {
      continue;
    }
    const name = match[1] ?? '';
    const from = match.index + match[0].length;
    const end = endOf(text, from, name);
    plays.push(playOf(name, text.slice(from, end).replace(/^:/, '')));
    after = end + 2;
  }
  return plays;
}

function whole(text: string | undefined, what: string): number {
  if (text === undefined || !/^\d+$/.test(text)) {
    throw new BadDirective(`${what}: ${text ?? 'nothing'} is no number`);
  }
  return Number(text);
}

function failureOf(parts: readonly string[], what: string): HttpFailure {
  const [code, error = 'api_error', seconds] = parts;
  const status = whole(code, what);
  if (status < 400 || status > 599) {
    throw new BadDirective(`${what}: ${status} is no HTTP error`);
  }
  // A real API hardly ever limits the rate without a hint.
  const retryAfter = seconds === undefined ? (status === 429 ? 1 : null) : whole(seconds, what);
  return { status, error, retryAfter };
}

function playOf(name: string, argument: string): Play {
  const parts = argument.split(':');
  switch (name) {
    case 'text':
      return { kind: 'text', text: argument };
    case 'think': {
      const at = argument.indexOf('|');
      if (at === -1) {
        throw new BadDirective(`think:${argument} has no | behind the thought`);
      }
      return { kind: 'think', thought: argument.slice(0, at), text: argument.slice(at + 1) };
    }
    case 'slow': {
      const [pieces, gap] = argument.split(',');
      return { kind: 'slow', pieces: whole(pieces, 'slow'), gapMs: whole(gap, 'slow') };
    }
    case 'status':
      return { kind: 'status', ...failureOf(parts, 'status') };
    case 'flaky':
      return { kind: 'flaky', times: whole(parts[0], 'flaky'), ...failureOf(parts.slice(1), 'flaky') };
    case 'midError':
      return { kind: 'midError', error: argument === '' ? 'overloaded_error' : argument };
    case 'tool': {
      const at = argument.indexOf(':');
      return { kind: 'tool', name: argument.slice(0, at), input: argument.slice(at + 1) };
    }
    case 'hang':
    case 'hang0':
    case 'drop':
    case 'refusal':
      return { kind: name };
  }
  throw new BadDirective(`${name} is not known`);
}

/** For prompts that cannot carry a directive, such as those of recorded webhooks: what a text of a user stands for. */
export interface Rule {
  readonly when: RegExp;
  /** Directives. */
  readonly play: string;
}

export interface Planned {
  readonly play: Play;
  readonly step: number;
  /** The text that decided; empty: none did. */
  readonly cue: string;
}

const lastResultLength = 60;

/** What to do about a conversation. Throws `BadDirective`. */
export function plan(items: readonly Item[], rules: readonly Rule[] = []): Planned {
  for (let at = items.length - 1; at >= 0; at--) {
    const item = items[at];
    if (item?.role !== 'user' || item.kind !== 'text') {
      continue;
    }
    const rule = rules.find(({ when }) => when.test(item.text));
    const plays = parsePlays(rule?.play ?? item.text);
    if (plays.length === 0) {
      continue;
    }
    const results = items.slice(at + 1).filter(({ kind }) => kind === 'result');
    const last = results.at(-1)?.text.slice(0, lastResultLength) ?? '';
    const step = results.length;
    return { play: plays[step] ?? { kind: 'text', text: `done; the last tool said: ${last}` }, step, cue: item.text };
  }
  return { play: { kind: 'text', text: 'ok (no directive)' }, step: 0, cue: '' };
}

/** As it was written, for the log. */
export function nameOf(play: Play): string {
  const { kind, ...rest } = play;
  return [kind, ...Object.values(rest)].join(':').slice(0, 80);
}

/** How things are written for a person: tables, facts, times, statuses. */
import type { PermissionRequest } from '../../protocol/permissions.ts';
import type { Throttle } from '../../protocol/providers.ts';
import type { SessionView } from '../../protocol/sessions.ts';
import type { Owner, TaskView } from '../../protocol/tasks.ts';
import type { SessionState, TaskState } from '../../core/model/state.ts';
import type { Io } from '../io.ts';
import type { Paint } from './paint.ts';
import { harmless } from './paint.ts';
import { wrapped } from './width.ts';

/** Where a text is shown. */
export type Screen = Pick<Io, 'paint' | 'terminal' | 'columns'>;

/** Names to the left, what is known to the right; what is null is left out. Lines are broken where a terminal ends. */
export function facts(
  pairs: readonly (readonly [string, string | null])[],
  { paint, terminal, columns }: Screen,
): string {
  const known = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== null);
  const width = Math.max(...known.map(([name]) => name.length));
  const room = terminal ? Math.max(20, columns - width - 2) : Number.POSITIVE_INFINITY;
  return known
    .map(
      ([name, text]) => `${paint.faint(name.padEnd(width))}  ${wrapped(text, room).join(`\n${' '.repeat(width + 2)}`)}`,
    )
    .join('\n');
}

export const indented = (text: string): string => text.trimEnd().replace(/^/gm, '  ');

/** Waiting is faint, running is strong; yellow is what waits for a person or was stopped. */
const statePaints: { readonly [S in TaskState | SessionState]: keyof Paint } = {
  free: 'faint',
  waiting: 'faint',
  preempted: 'faint',
  merged: 'faint',
  starting: 'strong',
  running: 'strong',
  interrupting: 'strong',
  throttled: 'warn',
  parked: 'warn',
  asking: 'warn',
  completed: 'good',
  failed: 'bad',
  cancelled: 'warn',
};

export const statePaint = (state: TaskState | SessionState, paint: Paint): ((text: string) => string) =>
  paint[statePaints[state]];

export const timeText = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').replace('Z', ' UTC');

const units: readonly (readonly [name: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** The largest unit that fits: `3 min`. */
export function ageText(ms: number): string {
  const [name, size] = units.find(([, unit]) => ms >= unit) ?? ['ms', 1];
  return `${Math.max(0, Math.floor(ms / size))} ${name}`;
}

export function ownerText(owner: Owner, paint: Paint, now: number, shown: (id: string) => string): string {
  const turn = owner.turn === null ? owner.phase : `turn ${owner.turn}, ${owner.phase}`;
  return `${shown(owner.task)} (${paint[owner.lane](owner.lane)}, epoch ${owner.epoch}, ${turn}, for ${ageText(now - owner.since)})`;
}

/** The throttle of a session, on one line; null: there is none. */
export function throttleText(throttle: Throttle | null, now: number): string | null {
  if (throttle === null) {
    return null;
  }
  const { level, reason, detail, until } = throttle;
  const more = detail === null ? '' : ` (${detail})`;
  const end = until === null ? '' : `, ${ageText(until - now)} more`;
  return `${level === 'all' ? 'all work waits' : 'background work waits'}: ${reason}${more}${end}`;
}

/** Who parked a session and why, on one line; null: it is not parked. */
export function parkedText(parked: SessionView['parked'], paint: Paint): string | null {
  if (parked === null) {
    return null;
  }
  const { kind, reason, by } = parked;
  if (kind === 'fault') {
    return paint.bad(harmless(`by a defect: ${reason}`));
  }
  return paint.warn(harmless(by === null ? reason : `by ${by.name}: ${reason}`));
}

/** Permission requests, and the command that answers each; null: there are none. */
export const permissionRequestsText = (requests: readonly PermissionRequest[], flag = ''): string | null =>
  requests.length === 0
    ? null
    : requests.map((one) => `${one.tool}: ${one.title}\n→ ${answerCommand('approve', one)}${flag}, or deny`).join('\n');

/** A command that answers a permission request, for a shell. */
export const answerCommand = (
  command: 'approve' | 'deny',
  { session, request }: Pick<PermissionRequest, 'session' | 'request'>,
): string => `signalbox ${command} ${quoted(session)} ${quoted(request)}`;

/** For a shell. */
export const quoted = (text: string): string =>
  /^[\w./:@~+-]+$/.test(text) && text !== '' ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** What the agent said, or what the code runner returned, of the data of `final`; null: neither. */
export function resultText(final: TaskView['final']): string | null {
  if (final === null) {
    return null;
  }
  const { answer, result } = final;
  if (result !== null) {
    return typeof result === 'string' ? result : JSON.stringify(result, null, 2);
  }
  return answer === null ? null : answer.text;
}

/** Why it failed, in the words of the agent, and what to do; null: the agent gave no reason. */
export function failureText(final: TaskView['final']): string | null {
  const failure = final?.answer?.failure;
  return failure === undefined ? null : `${failure.message}\n${failure.hint}`;
}

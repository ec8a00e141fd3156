/** How things are written for a person: tables, facts, times, statuses. */
import type { PermissionRequest } from '../../protocol/permissions.ts';
import type { Throttle } from '../../protocol/providers.ts';
import type { SessionView } from '../../protocol/sessions.ts';
import type { Owner, TaskSummary, TaskView } from '../../protocol/tasks.ts';
import type { Io } from '../io.ts';
import type { Paint } from './paint.ts';
import { harmless, oneLine } from './paint.ts';
import { displayWidth } from './width.ts';

interface TableRow {
  readonly cells: readonly string[];
  /** By column; those left out are plain. */
  readonly paints: readonly ((text: string) => string)[];
}

/** The last column takes what is left of the width; on a pipe nothing is cut but what callers cut. */
export function table(head: readonly string[], rows: readonly TableRow[], { paint, terminal, columns }: Io): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map(({ cells }) => displayWidth(cells[column] ?? ''))),
  );
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const lastWidth = terminal ? Math.max(10, columns - before) : Number.POSITIVE_INFINITY;
  const line = (cells: readonly string[], paints: TableRow['paints']): string =>
    cells
      .map((cell, column) => {
        const last = column === cells.length - 1;
        const text = last ? oneLine(cell, lastWidth) : cell;
        const pad = last ? '' : ' '.repeat(Math.max(0, (widths[column] ?? 0) - displayWidth(text)) + 2);
        return (paints[column] ?? ((plain: string) => plain))(text) + pad;
      })
      .join('')
      .trimEnd();
  return [
    line(
      head,
      head.map(() => paint.faint),
    ),
    ...rows.map(({ cells, paints }) => line(cells, paints)),
  ].join('\n');
}

/** Names to the left, what is known to the right; what is null is left out. */
export function facts(pairs: readonly (readonly [string, string | null])[], paint: Paint): string {
  const known = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== null);
  const width = Math.max(...known.map(([name]) => name.length));
  return known
    .map(([name, text]) => `${paint.faint(name.padEnd(width))}  ${text.replaceAll('\n', `\n${' '.repeat(width + 2)}`)}`)
    .join('\n');
}

export const indented = (text: string): string => text.trimEnd().replace(/^/gm, '  ');

export function statusPaint(status: TaskSummary['status'], paint: Paint, text: string = status): string {
  switch (status) {
    case 'queued':
      return paint.faint(text);
    case 'running':
      return paint.strong(text);
    case 'completed':
      return paint.good(text);
    case 'failed':
      return paint.bad(text);
    case 'cancelled':
      return paint.warn(text);
  }
}

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

export function ownerText(owner: Owner, paint: Paint, now: number): string {
  const turn = owner.turn === null ? owner.phase : `turn ${owner.turn}, ${owner.phase}`;
  return `${owner.task} (${paint[owner.lane](owner.lane)}, epoch ${owner.epoch}, ${turn}, for ${ageText(now - owner.since)})`;
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

/** Permission requests, one line each; null: there are none. */
export const permissionRequestsText = (requests: readonly PermissionRequest[]): string | null =>
  requests.length === 0 ? null : requests.map(({ request, tool, title }) => `${request}  ${tool}: ${title}`).join('\n');

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

/**
 * Tables. On a terminal a table is never wider than the terminal: columns that may be cut share what is left, and where they
 * would be too narrow, the columns that may be left out go, those behind first. On a pipe nothing is cut or left out.
 */
import type { Io } from '../io.ts';
import { cutMiddle, oneLine } from './paint.ts';
import { displayWidth } from './width.ts';

export interface Column {
  readonly title: string;
  /** Its least width, in columns of the terminal, where it may be cut; left out: it is shown whole. */
  readonly min?: number;
  /** What is cut: the end (default), or the middle of a name that differs from others at its end. */
  readonly cut?: 'end' | 'middle';
  /** It is left out where there is no room for it. */
  readonly optional?: true;
}

export interface Row {
  readonly cells: readonly string[];
  /** By column; those left out are plain. */
  readonly paints: readonly ((text: string) => string)[];
}

interface Fitted {
  readonly column: Column;
  readonly index: number;
  width: number;
}

/** Between two columns. */
const gap = 2;

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
const total = (columns: readonly Fitted[], widthOf: (one: Fitted) => number): number =>
  sum(columns.map(widthOf)) + gap * (columns.length - 1);
const leastOf = ({ column, width }: Fitted): number => Math.min(width, column.min ?? width);

/** The columns that have room, with their widths. */
function fit(natural: readonly Fitted[], room: number): readonly Fitted[] {
  let shown = natural;
  while (total(shown, leastOf) > room) {
    const least = shown.findLast(({ column }) => column.optional === true);
    if (least === undefined) {
      break;
    }
    shown = shown.filter((one) => one !== least);
  }
  let spare = room - total(shown, leastOf);
  const fitted = shown.map((one) => ({ ...one, width: leastOf(one) }));
  // The narrowest need is met first, so that what it leaves goes to the others.
  const wanting = fitted
    .map((one, at) => ({ one, wants: (shown[at]?.width ?? 0) - one.width }))
    .filter(({ wants }) => wants > 0)
    .toSorted((a, b) => a.wants - b.wants);
  for (const [at, { one, wants }] of wanting.entries()) {
    const share = Math.max(0, Math.min(wants, Math.floor(spare / (wanting.length - at))));
    one.width += share;
    spare -= share;
  }
  return fitted;
}

function cell(text: string, { column, width }: Fitted, terminal: boolean): string {
  const line = oneLine(text, Number.POSITIVE_INFINITY);
  if (!terminal || displayWidth(line) <= width) {
    return line;
  }
  return column.cut === 'middle' ? cutMiddle(line, width) : oneLine(line, width);
}

export function table(
  columns: readonly Column[],
  rows: readonly Row[],
  { paint, terminal, columns: room }: Io,
): string {
  const natural = columns.map((column, index) => ({
    column,
    index,
    width: Math.max(
      displayWidth(column.title),
      ...rows.map(({ cells }) => displayWidth(oneLine(cells[index] ?? '', Number.POSITIVE_INFINITY))),
    ),
  }));
  const fitted = terminal ? fit(natural, room) : natural;
  const line = (textOf: (index: number) => string, paintOf: (index: number) => (text: string) => string): string =>
    fitted
      .map((one, at) => {
        const text = cell(textOf(one.index), one, terminal);
        const pad = at === fitted.length - 1 ? 0 : Math.max(0, one.width - displayWidth(text)) + gap;
        return paintOf(one.index)(text) + ' '.repeat(pad);
      })
      .join('')
      .trimEnd();
  return [
    line(
      (index) => columns[index]?.title ?? '',
      () => paint.faint,
    ),
    ...rows.map(({ cells, paints }) =>
      line(
        (index) => cells[index] ?? '',
        (index) => paints[index] ?? ((text: string) => text),
      ),
    ),
  ].join('\n');
}

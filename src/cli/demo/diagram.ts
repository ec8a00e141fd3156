/** The whole run as a track diagram: time goes to the right, one line of track per task, the owner's drawn through. */
import type { Row, Track } from './board.ts';
import { laneOf, type Look } from './render.ts';

const drawn: { readonly [T in Track]: string } = { absent: ' ', waits: '┄', owns: '━', drains: '━', ended: ' ' };
const signals: { readonly [mark: string]: string } = { granted: '●', interrupted: '╳', ended: '■' };
/** Where several signals fall into one column, the first of these is shown. */
const order = ['╳', '■', '●'];

function cellsOf(rows: readonly Row[], index: number, width: number, total: number): readonly string[] {
  const column = (at: number): number => Math.min(width - 1, Math.floor((at / total) * width));
  const cells = Array.from({ length: width }, () => ' ');
  let from = 0;
  let track: Track = 'absent';
  for (const row of rows) {
    const now = column(row.at);
    cells.fill(drawn[track], from, now);
    from = now;
    track = row.tracks[index] ?? track;
  }
  cells.fill(drawn[track], from, width);
  for (const row of rows) {
    const sign = row.about === index ? signals[row.mark ?? ''] : undefined;
    if (sign === undefined) {
      continue;
    }
    const at = column(row.at);
    const there = order.indexOf(cells[at] ?? '');
    if (there === -1 || order.indexOf(sign) < there) {
      cells[at] = sign;
    }
  }
  return cells;
}

export function diagram(rows: readonly Row[], look: Look): readonly string[] {
  const total = Math.max(1, rows.at(-1)?.at ?? 1);
  const label = 13;
  const width = Math.min(look.columns, 100) - label - 1;
  const lines = look.names.map((name, index) => {
    const colour = laneOf(look, index);
    return ` ${colour(name.padEnd(label - 1))}${colour(cellsOf(rows, index, width, total).join('').trimEnd())}`;
  });
  const seconds = `${(total / 1000).toFixed(1)} s`;
  const scale = `${' '.repeat(label)}0${'·'.repeat(width - seconds.length - 3)} ${seconds}`;
  return [...lines, look.paint.faint(scale)];
}

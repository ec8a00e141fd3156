/** The board on a terminal or a pipe: rows are only ever appended, so nothing flickers and a pipe gets the same lines. */
import type { Paint } from '../output/paint.ts';
import { oneLine } from '../output/paint.ts';
import type { Mark, Row, Track } from './board.ts';
import { urgent } from './play.ts';

const trackGlyph: { readonly [T in Track]: string } = { absent: ' ', waits: '┊', owns: '┃', drains: '╏', ended: ' ' };
const markGlyph: { readonly [M in NonNullable<Mark>]: string } = {
  admitted: '○',
  granted: '●',
  interrupted: '╳',
  preempted: '◌',
  ended: '■',
};

export interface Look {
  readonly names: readonly string[];
  readonly paint: Paint;
  readonly columns: number;
}

/** The first tracks are interactive: those of the deliveries for which somebody waits. */
export function laneOf(look: Look, index: number): (text: string) => string {
  return index < urgent ? look.paint.interactive : look.paint.background;
}

/** Heads of the tracks where the name is too long. */
const shorts: { readonly [name: string]: string } = { background: 'bg' };

const nameWidth = 11;
const gap = 3;

export function header(look: Look): string {
  const tracks = look.names.map((name, index) => laneOf(look, index)((shorts[name] ?? name).padEnd(gap))).join('');
  return `${look.paint.faint('    ms')}   ${tracks}`.trimEnd();
}

export function legend(look: Look): string {
  const parts = ['● granted', '┃ owns', '┊ waits', '╳ interrupted', '◌ gives way', '■ final'];
  return look.paint.faint(`         ${parts.join('  ')}`);
}

export function line(row: Row, look: Look): string {
  const { paint } = look;
  const tracks = row.tracks.map((track, index) => {
    const mark = index === row.about && row.mark !== null ? markGlyph[row.mark] : trackGlyph[track];
    const colour = laneOf(look, index);
    const lit = track === 'owns' || track === 'drains' || (index === row.about && row.mark !== null);
    return (lit ? paint.strong(colour(mark)) : colour(mark)) + ' '.repeat(gap - 1);
  });
  const name = row.about === null ? (row.node ?? 'agent') : (look.names[row.about] ?? '');
  const colour = row.about === null ? paint.faint : laneOf(look, row.about);
  const used = 6 + 3 + look.names.length * gap + nameWidth;
  const text = oneLine(row.text, look.columns - used);
  const at = String(row.at).padStart(6);
  return `${paint.faint(at)}   ${tracks.join('')}${colour(name.padEnd(nameWidth))}${text}`.trimEnd();
}

/** The end of a demo: its tracks, its figures, and whether each guarantee held. */
import type { Io } from '../io.ts';
import type { Row } from './board.ts';
import { diagram } from './diagram.ts';
import type { Figure } from './figures.ts';
import type { Look } from './render.ts';
import { legend } from './render.ts';
import type { Judgement } from './verify.ts';
import { allHeld } from './verify.ts';

function printFigures(figures: readonly Figure[], io: Io): void {
  const width = Math.max(...figures.map(({ name }) => name.length));
  for (const { name, values } of figures) {
    const one = values.length === 1;
    const texts = values.map(({ of, ms }) => `${one ? '' : `${of} `}${ms.toFixed(1)} ms`);
    io.print(`  ${name.padEnd(width)}   ${io.paint.strong(texts.join('  '))}`);
  }
}

function printJudgements(judgements: readonly Judgement[], io: Io): void {
  for (const { guarantee, breaches } of judgements) {
    io.print(`  ${breaches.length === 0 ? io.paint.good('✓') : io.paint.bad('✗')} ${guarantee}`);
    for (const breach of breaches) {
      io.print(`      ${io.paint.bad(breach)}`);
    }
  }
}

export interface Result {
  readonly rows: readonly Row[];
  readonly figures: readonly Figure[];
  readonly judgements: readonly Judgement[];
  readonly tasks: number;
  readonly events: number;
}

/** The exit code: 0, all guarantees held; 1, one did not. */
export function report({ rows, figures, judgements, tasks, events }: Result, look: Look, io: Io): number {
  const held = allHeld(judgements);
  if (io.json) {
    for (const figure of figures) {
      io.document({ type: 'figure', ...figure });
    }
    for (const judgement of judgements) {
      io.document({ type: 'check', ...judgement });
    }
    io.document({ type: 'verdict', held });
    return held ? 0 : 1;
  }
  io.print(legend(look));
  io.print('');
  for (const track of diagram(rows, look)) {
    io.print(track);
  }
  io.print('');
  printFigures(figures, io);
  io.print('');
  printJudgements(judgements, io);
  io.print('');
  const broken = judgements.filter(({ breaches }) => breaches.length > 0).length;
  io.print(
    held
      ? io.paint.good(`All ${judgements.length} guarantees held, over ${tasks} tasks and ${events} events.`)
      : io.paint.bad(`${broken} of ${judgements.length} guarantees did NOT hold.`),
  );
  return held ? 0 : 1;
}

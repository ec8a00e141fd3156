/**
 * Puts the nodes, the rows of the session and the letters to it together into one system that the engine can explore.
 *
 *  letters-model/1 An accepted letter is applied once, or withdrawn before; it is never lost.
 *  letters-model/2 Nothing is written by a node after the claim of another, or after a later one of its own.
 *  letters-model/3 A task ends once.
 *  letters-model/4 Epochs only grow.
 *  letters-model/5 An interrupt never reaches the turn of a successor.
 *  letters-model/6 Only one node has an agent.
 */
import type { Invariant, Model, Teller } from '../../engine/index.ts';
import type { Core } from '../../model/core.ts';
import { Report } from '../../model/report.ts';
import { encoder } from './encode.ts';
import { moves } from './moves.ts';
import { initialWorld, nodeNames, type Action, type LettersConfig, type World } from './world.ts';

export function lettersModelOf(config: LettersConfig, core: Core): Model<World, Action> {
  const report = new Report();
  const found = (property: string, detail: string): void => report.fail(property, detail);
  return {
    initial: initialWorld(config, core),
    expand: (world, emit) => {
      moves({ config, core, found }, world, (who, does, make) => {
        report.clear();
        let next = world;
        try {
          next = make();
        } catch (error) {
          found('the core breaks none of its own invariants', error instanceof Error ? error.message : String(error));
        }
        emit({ who, does }, 0, next, report.broken);
      });
    },
    encode: encoder(),
    invariants: [onceEach, oneFinal, noLateInterrupt, oneAgent],
  };
}

const onceEach: Invariant<World> = {
  name: 'letters-model/1: an accepted letter is applied once, or withdrawn before',
  check: ({ letters, holds, late }) => {
    const underWay = [...late, ...nodeNames.map((name) => holds[name]?.pending ?? null)];
    for (const [index, { stage, applied, isWithdrawn }] of letters.entries()) {
      if (applied + (isWithdrawn ? 1 : 0) > 1) {
        return `letter ${index} was applied ${applied} times${isWithdrawn ? ' and withdrawn' : ''}`;
      }
      const isKept = stage !== 'gone' || applied > 0 || isWithdrawn;
      if (!isKept && !underWay.some((write) => write?.step?.letter === index)) {
        return `letter ${index} is lost`;
      }
    }
    return null;
  },
};

const oneFinal: Invariant<World> = {
  name: 'letters-model/3: a task ends once',
  check: ({ finals }) => (finals.some((count) => count > 1) ? `finals: ${finals.join(', ')}` : null),
};

const noLateInterrupt: Invariant<World> = {
  name: 'letters-model/5: an interrupt never reaches the turn of a successor',
  check: ({ holds, lateInterrupts }) => {
    for (const name of nodeNames) {
      const agent = holds[name]?.agent ?? null;
      const turns = [agent?.turn, ...(agent?.inbox ?? []).map(({ turn }) => turn)];
      if (lateInterrupts.some(({ incarnation, turn }) => agent?.incarnation === incarnation && turns.includes(turn))) {
        return `the agent of ${name} is in a turn of that name`;
      }
    }
    return null;
  },
};

const oneAgent: Invariant<World> = {
  name: 'letters-model/6: only one node has an agent',
  check: ({ holds }) => (nodeNames.every((name) => (holds[name]?.agent ?? null) !== null) ? 'both have one' : null),
};

export const lettersTeller: Teller<World, Action> = {
  sentence: ({ who, does }) => `${who} ${does}`,
  changes: (before, after) => {
    const tell = (world: World): string =>
      [
        `owner ${world.owner ?? '-'}, lease ${world.lease}, version ${world.version}`,
        ...world.letters.map(
          ({ stage, applied, isWithdrawn }, index) =>
            `letter ${index}: ${stage}${applied === 0 ? '' : `, applied ${applied}`}${isWithdrawn ? ', withdrawn' : ''}`,
        ),
      ].join('; ');
    return tell(before) === tell(after) ? [] : [tell(after)];
  },
};

/**
 * The directives that the scripted agent follows: `[[name]]` or `[[name:argument,…]]`, in order, with any text between them.
 * docs/agent-protocol.md lists them all.
 */
export const directiveNames = [
  'text',
  'stream',
  'forever',
  'work',
  'sleep',
  'silent',
  'fail',
  'die',
  'block',
  'garbage',
  'half',
  'hugeline',
  'stderr',
  'tool',
  'ask',
  'ask-withdrawn',
  'api',
  'retry',
  'model',
  'history',
  'background',
  'grandchild',
  'wedge',
  'stop',
  'fork',
  'leave',
  'hang-up',
  'read-no-more',
  'ack',
  'noresult',
  'deaf',
  'late-started',
  'split-result',
  'merged',
  'empty',
  'twice',
  'unsolicited',
  'ignore-term',
  'ignore-eof',
] as const;

type DirectiveName = (typeof directiveNames)[number];

export interface Directive {
  readonly name: DirectiveName;
  /** Everything after the first colon. */
  readonly argument: string;
}

const isName = (name: string): name is DirectiveName => directiveNames.some((known) => known === name);

/** Directives in the order of the text. What only looks like one, such as a wiki link, is ignored. */
export function parseDirectives(text: string): readonly Directive[] {
  return [...text.matchAll(/\[\[([a-z-]+)(?::([^]*?))?\]\]/g)].flatMap(([, name = '', argument = '']) =>
    isName(name) ? [{ name, argument }] : [],
  );
}

/** The argument's numbers; a missing or malformed one takes its default. */
export function numbers(argument: string, ...defaults: readonly number[]): readonly number[] {
  const given = argument.split(',');
  return defaults.map((fallback, index) => {
    const value = Number.parseFloat(given[index] ?? '');
    return Number.isFinite(value) ? value : fallback;
  });
}

type AckMode = 'now' | 'late' | 'never' | 'twice' | 'after-result' | 'before-result' | 'none';

const ackModes: readonly AckMode[] = ['now', 'late', 'never', 'twice', 'after-result', 'before-result', 'none'];

/** How the whole turn behaves, wherever the directive is in the prompt. */
export interface Behaviour {
  readonly ack: AckMode;
  readonly ackMs: number;
  readonly noResult: boolean;
  readonly deaf: boolean;
  readonly splitResult: boolean;
  /** `turn`: all messages of the turn leave in one write; `end`: those after an interrupt do. */
  readonly merged: 'turn' | 'end' | null;
  readonly empty: boolean;
  readonly twice: boolean;
  readonly lateStartedMs: number;
  /** After the result, an unsolicited turn: it begins then, and ends so much later, or never (-1). */
  readonly unsolicited: { readonly afterMs: number; readonly lastsMs: number } | null;
}

export function behaviourOf(directives: readonly Directive[], acksByDefault: boolean): Behaviour {
  const find = (name: DirectiveName): string | null =>
    directives.findLast((one) => one.name === name)?.argument ?? null;
  const [mode = '', ms = ''] = (find('ack') ?? '').split(':');
  const [afterMs = 0, lastsMs = 0] = numbers(find('unsolicited') ?? '', 20, 20);
  return {
    ack: ackModes.find((known) => known === mode) ?? (acksByDefault ? 'now' : 'never'),
    ackMs: numbers(ms, 50)[0] ?? 50,
    noResult: find('noresult') !== null,
    deaf: find('deaf') !== null,
    splitResult: find('split-result') !== null,
    merged: find('merged') === null ? null : find('merged') === 'end' ? 'end' : 'turn',
    empty: find('empty') !== null,
    twice: find('twice') !== null,
    lateStartedMs: numbers(find('late-started') ?? '', 0)[0] ?? 0,
    unsolicited: find('unsolicited') === null ? null : { afterMs, lastsMs },
  };
}

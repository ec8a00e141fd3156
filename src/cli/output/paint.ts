/** Colour, on a terminal and never under NO_COLOR; and foreign text made fit for a terminal. */
import { cutToWidth, displayWidth, endOfWidth } from './width.ts';

export interface Paint {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly interactive: (text: string) => string;
  readonly background: (text: string) => string;
}

const same = (text: string): string => text;

export const plain: Paint = {
  strong: same,
  faint: same,
  good: same,
  bad: same,
  warn: same,
  interactive: same,
  background: same,
};

interface ColourAsked {
  readonly terminal: boolean;
  readonly env: Readonly<{ [name: string]: string | undefined }>;
}

/** https://no-color.org: any value but the empty one. A `dumb` terminal has no colours either. */
export function wantsColour({ terminal, env }: ColourAsked): boolean {
  return terminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

/** Loads picocolors only where there is colour. It has an opinion of its own about pipes and CI; ours is the one above. */
export async function paintFor(asked: ColourAsked): Promise<Paint> {
  if (!wantsColour(asked)) {
    return plain;
  }
  const { default: pico } = await import('picocolors');
  const colours = pico.createColors(true);
  return {
    strong: colours.bold,
    faint: colours.dim,
    good: colours.green,
    bad: colours.red,
    warn: colours.yellow,
    interactive: colours.cyan,
    background: colours.magenta,
  };
}

/** Control characters of both sets, line separators, and what changes the direction of the text around it. */
const steering = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/** A change of colour or weight, as `Paint` writes it. */
const colour = String.raw`\u001b\[[0-9;]*m`;
const steeringButColour = new RegExp(`(${colour})|${steering.source}`, 'gu');

function shown(char: string): string {
  if (char === '\n' || char === '\t') {
    return char;
  }
  return char === '\r' ? '' : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/**
 * Text of agents and strangers, without what would steer the terminal (escape sequences, carriage returns, bidirectional
 * overrides). Line breaks and tabs stay.
 */
export const harmless = (text: string): string => text.replace(steering, shown);

/** The last look at what goes to a terminal, colours and all: foreign text that was not made harmless is made so here. */
export const harmlessButColour = (text: string): string =>
  text.replace(steeringButColour, (char, ours: string | undefined) => ours ?? shown(char));

/** A JSON document for a terminal: the same value, without a character that would steer it. */
export const harmlessJson = (json: string): string =>
  json.replace(steering, (char) => (char === '\n' ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`));

/** The same on one line, cut to a width in columns. */
export function oneLine(text: string, width: number): string {
  const line = harmless(text).replace(/\s+/g, ' ').trim();
  return displayWidth(line) <= width ? line : `${cutToWidth(line, Math.max(0, width - 1))}…`;
}

/** On one line, without its middle where it is too long: its end says which of several it is. */
export function cutMiddle(text: string, width: number): string {
  const line = oneLine(text, Number.POSITIVE_INFINITY);
  if (displayWidth(line) <= width) {
    return line;
  }
  const end = endOfWidth(line, Math.floor((width - 1) / 2));
  return `${cutToWidth(line, width - 1 - displayWidth(end))}…${end}`;
}

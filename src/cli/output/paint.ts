/** Colour, on a terminal and never under NO_COLOR; and foreign text made fit for a terminal. */

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

/**
 * Text of agents and strangers, without what would steer the terminal (escape sequences, carriage returns, bidirectional
 * overrides). Line breaks and tabs stay.
 */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (char) => {
    if (char === '\n' || char === '\t') {
      return char;
    }
    return char === '\r' ? '' : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** The same on one line, cut to a width in characters. */
export function oneLine(text: string, width: number): string {
  const line = harmless(text).replace(/\s+/g, ' ').trim();
  const points = Array.from(line);
  return points.length <= width ? line : `${points.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** The command line of a campaign: counts with defaults, words that may be repeated, and `--json`. */
import { parseArgs } from 'node:util';

type ParsedOption = { readonly type: 'string' | 'boolean'; readonly multiple?: boolean };
type Counts = Readonly<{ [name: string]: number }>;

interface CampaignArguments<C extends Counts, W extends string, F extends string> {
  readonly counts: C;
  readonly words: Readonly<{ [word in W]: readonly string[] }>;
  readonly flags: Readonly<{ [flag in F]: boolean }>;
  readonly json: boolean;
}

interface More<F extends string> {
  readonly flags?: readonly F[];
  /** Counts that need not be integers. */
  readonly fractions?: readonly string[];
}

/** Ends the process with 2 and the usage where an argument is unknown, or a count is not a positive integer. */
export function campaignArguments<const C extends Counts, W extends string = never, const F extends string = never>(
  script: string,
  defaults: C,
  words: readonly W[] = [],
  { flags = [], fractions = [] }: More<F> = {},
): CampaignArguments<{ readonly [name in keyof C]: number }, W, F> {
  const switches = [...flags, 'json'];
  const usage = [
    ...Object.keys(defaults).map((name) => `[--${name} N]`),
    ...words.map((name) => `[--${name} TEXT]…`),
    ...switches.map((name) => `[--${name}]`),
  ].join(' ');
  const fail = (problem: string): never => {
    process.stderr.write(`${problem}\nusage: npm run ${script} -- ${usage}\n`);
    process.exit(2);
  };
  const read = (): ReturnType<typeof parseArgs>['values'] => {
    const text = [...Object.keys(defaults), ...words].map(
      (name) => [name, { type: 'string', multiple: true }] as const,
    );
    try {
      const bare = switches.map((name) => [name, { type: 'boolean' }] as const);
      return parseArgs({ options: Object.fromEntries<ParsedOption>([...text, ...bare]) }).values;
    } catch (error) {
      return fail(error instanceof Error ? error.message : String(error));
    }
  };
  const values = read();
  const all = (name: string): readonly string[] => [values[name] ?? []].flat().map(String);
  const count = (name: string, otherwise: number): number => {
    const value = Number(all(name).at(-1) ?? otherwise);
    const isNumber = fractions.includes(name) ? Number.isFinite(value) : Number.isSafeInteger(value);
    return isNumber && value > 0
      ? value
      : fail(`--${name} is not a positive ${fractions.includes(name) ? 'number' : 'integer'}`);
  };
  return {
    counts: Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, count(name, value)])) as {
      readonly [name in keyof C]: number;
    },
    words: Object.fromEntries(words.map((name) => [name, all(name)])) as { readonly [word in W]: readonly string[] },
    flags: Object.fromEntries(flags.map((name) => [name, values[name] === true])) as { readonly [flag in F]: boolean },
    json: values['json'] === true,
  };
}

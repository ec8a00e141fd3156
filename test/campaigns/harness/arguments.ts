/** The command line of a campaign: counts with defaults, words that may be repeated, and `--json`. */
import { parseArgs } from 'node:util';

type Counts = Readonly<{ [name: string]: number }>;

interface CampaignArguments<C extends Counts, W extends string> {
  readonly counts: C;
  readonly words: Readonly<{ [word in W]: readonly string[] }>;
  readonly json: boolean;
}

/** Ends the process with 2 and the usage where an argument is unknown, or a count is not a positive integer. */
export function campaignArguments<const C extends Counts, W extends string = never>(
  script: string,
  defaults: C,
  words: readonly W[] = [],
): CampaignArguments<{ readonly [name in keyof C]: number }, W> {
  const usage = [
    ...Object.keys(defaults).map((name) => `[--${name} N]`),
    ...words.map((name) => `[--${name} TEXT]…`),
    '[--json]',
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
      return parseArgs({ options: { ...Object.fromEntries(text), json: { type: 'boolean' } } }).values;
    } catch (error) {
      return fail(error instanceof Error ? error.message : String(error));
    }
  };
  const values = read();
  const all = (name: string): readonly string[] => [values[name] ?? []].flat().map(String);
  const count = (name: string, otherwise: number): number => {
    const value = Number(all(name).at(-1) ?? otherwise);
    return Number.isSafeInteger(value) && value > 0 ? value : fail(`--${name} is not a positive integer`);
  };
  return {
    counts: Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, count(name, value)])) as {
      readonly [name in keyof C]: number;
    },
    words: Object.fromEntries(words.map((name) => [name, all(name)])) as { readonly [word in W]: readonly string[] },
    json: values['json'] === true,
  };
}

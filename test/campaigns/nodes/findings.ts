/** What a run found wrong, by the promise that it breaks. */
export const promises = {
  lost: 'accepted, and not there or not ended',
  doubled: 'done, or stored, more than once',
  owners: 'two owners of one session at a time',
  agents: 'two agents at work in one session',
  epochs: 'an epoch, or the number of an agent, that does not grow',
  finals: 'a tape without one final at its end',
  order: 'out of order',
  other: 'anything else',
} as const;

export type Promised = keyof typeof promises;

export class Findings {
  readonly #found: { readonly promise: Promised; readonly what: string }[] = [];

  add(promise: Promised, ...what: readonly string[]): void {
    this.#found.push(...what.map((one) => ({ promise, what: one })));
  }

  get lines(): readonly string[] {
    return this.#found.map(({ promise, what }) => `${promise}: ${what}`);
  }

  count(promise: Promised): number {
    return this.#found.filter((one) => one.promise === promise).length;
  }
}

/** Searches among tasks: the filters that no index serves, or only that of the ids. */
import type { TaskFilter } from './port.ts';

export const isSearch = ({ idPrefix, text, labels, since, until }: TaskFilter): boolean =>
  [idPrefix, text, labels, since, until].some((part) => part !== undefined);

/** Without an own order of letters: as SQLite's `lower`, and that of Postgres under the collation `C`. */
const folded = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

interface Searched {
  readonly id: string;
  readonly prompt: string;
  readonly labels: { readonly [name: string]: string };
  readonly admittedAt: number;
}

/** For a store in memory; the others say the same in SQL. */
export const isFound = (task: Searched, { idPrefix, text, labels, since, until }: TaskFilter): boolean =>
  task.id.startsWith(idPrefix ?? '') &&
  (text === undefined || folded(task.prompt).includes(folded(text))) &&
  Object.entries(labels ?? {}).every(([name, value]) => task.labels[name] === value) &&
  (since === undefined || task.admittedAt >= since) &&
  (until === undefined || task.admittedAt < until);

/** After every id that begins with the prefix: an id is printable ASCII. */
export const endOfPrefix = (prefix: string): string => `${prefix}\u007f`;

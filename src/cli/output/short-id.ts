/** Ids of tasks on a terminal, as short as is unique. A pipe and `--json` get them whole. */
import type { Io } from '../io.ts';

export const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Lengths of an id that ends with one of its groups. The first two groups of a UUIDv7 are its time in ms (RFC 9562, 5.7). */
const lengths = [8, 13, 18, 23];
const timeLength = 13;
/** The time that the first group alone leaves open, and what the clocks of several daemons may differ. */
const openMs = 65_536 + 60_000;

const timeOf = (id: string): number => Number.parseInt(id.slice(0, timeLength).replace('-', ''), 16);

interface Listed {
  /** These are all the tasks from the oldest of them on: no other has the first group of one of them, but of the oldest. */
  readonly whole?: boolean;
}

/** How to write the ids of a list, and others: with their time at least, unless the list proves that less is enough. */
export function shortIds(
  ids: readonly string[],
  io: Pick<Io, 'terminal'>,
  listed: Listed = {},
): (id: string) => string {
  if (!io.terminal) {
    return (id) => id;
  }
  const all = [...new Set(ids)];
  const now = Date.now();
  const oldest = all.toSorted()[0]?.slice(0, 8);
  const count = (prefix: string): number => all.filter((other) => other.startsWith(prefix)).length;
  return (id) => {
    if (!uuid.test(id)) {
      return id;
    }
    const settled = listed.whole === true && id.slice(0, 8) !== oldest && now - timeOf(id) > openMs && all.includes(id);
    const enough = lengths.find((length) => (settled || length >= timeLength) && count(id.slice(0, length)) <= 1);
    return enough === undefined ? id : id.slice(0, enough);
  };
}

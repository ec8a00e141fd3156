/** Searches among more tasks than one page looks at. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqliteStore } from '../../../src/store/index.ts';
import { admit, owner } from '../../../src/testing/store/records.ts';

const numbered = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `${prefix}${at}`);

test('a prefix of many ids is searched for in parts, and one of few ids leads to them wherever they are', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-search-'));
  const store = openSqliteStore({ path: join(folder, 'box.db') });
  try {
    const { commit } = await owner(store, 'a');
    const old = numbered('old', 1_100);
    await commit(...old.map((id) => admit(id)));
    await commit(...numbered('new', 12_000).map((id) => admit(id)));

    const few = store.tasks({ idPrefix: 'old109' }, null, 5);
    expect(few.items.map(({ row }) => row.id)).toEqual(['old1099', 'old1098', 'old1097', 'old1096', 'old1095']);
    expect(store.tasks({ idPrefix: 'old109' }, few.cursor, 20).items).toHaveLength(6);

    const pages: string[][] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page: ReturnType<typeof store.tasks> = store.tasks({ idPrefix: 'old' }, cursor ?? null, 500);
      pages.push(page.items.map(({ row }) => row.id));
      cursor = page.cursor;
    }
    // The first looks at newer tasks alone.
    expect(pages[0]).toEqual([]);
    expect(pages.flat()).toEqual(old.toReversed());
  } finally {
    store.close();
    rmSync(folder, { recursive: true });
  }
});

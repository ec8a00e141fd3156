/** A schema for each test, on a server that is there. */
import type { Faults } from '../../../src/store/index.ts';
import type { PostgresStore } from '../../../src/store/postgres/store.ts';
import type { StoreHarness } from '../../../src/testing/store/api.ts';

interface Place {
  readonly schema: string;
  readonly faults?: Faults;
}

let schemas = 0;

export function schemaHarness(openAt: (place: Place) => Promise<PostgresStore>): StoreHarness {
  schemas += 1;
  const schema = `contract_${schemas}`;
  const opened: PostgresStore[] = [];
  return {
    async open(options = {}) {
      const store = await openAt({ schema, ...options });
      opened.push(store);
      return store;
    },
    async dispose() {
      await Promise.all(opened.map((store) => store.close()));
    },
  };
}

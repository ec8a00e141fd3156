/** A schema for each test, on a server that is there. */
import type { Faults } from '../../../src/store/index.ts';
import type { PostgresStore } from '../../../src/store/postgres/store.ts';
import type { NodesHarness } from '../../../src/testing/store/api.ts';

interface Place {
  readonly schema: string;
  readonly faults?: Faults;
  readonly shared: boolean;
}

let schemas = 0;

/** `query`: on the server, beside the stores. */
export function schemaHarness(
  openAt: (place: Place) => Promise<PostgresStore>,
  query: (text: string) => Promise<unknown>,
): NodesHarness {
  schemas += 1;
  const schema = `contract_${schemas}`;
  const opened: PostgresStore[] = [];
  const open = async (place: Place): Promise<PostgresStore> => {
    const store = await openAt(place);
    opened.push(store);
    return store;
  };
  return {
    open: (options = {}) => open({ schema, shared: false, ...options }),
    openShared: (options = {}) => open({ schema, shared: true, ...options }),
    async failOver() {
      await query(`UPDATE ${schema}.eras SET life = 'another', started = NULL`);
    },
    async dispose() {
      await Promise.all(opened.map((store) => store.close()));
    },
  };
}

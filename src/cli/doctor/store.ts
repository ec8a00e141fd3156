/** Where the store is, and whether it can be used. */
import { AppError } from '../../core/errors.ts';
import type { StorePlace } from '../../daemon/config/store.ts';
import { type Check, missing, note, ok, reasonOf } from './check.ts';

/** More is felt at every commit. */
const slowMs = 50;

export async function checkStore(
  place: StorePlace,
  env: { readonly [name: string]: string | undefined },
): Promise<Check> {
  if (place.kind === 'sqlite') {
    const unused = (env['DATABASE_URL'] ?? '') !== '';
    return unused
      ? note('store', 'a SQLite file; DATABASE_URL is set, and not used', '`signalbox up --store postgres` uses it.')
      : ok('store', 'a SQLite file in the data folder');
  }
  const { examineDatabase } = await import('../../daemon/migrate.ts');
  try {
    const { server, latencyMs, durable, from, to } = await examineDatabase(place.url);
    const schema =
      from === to ? `all ${to} migrations` : `${from} of ${to} migrations; \`signalbox up\` applies the others`;
    const what = `${place.name}: ${server}, ${schema}, answers in ${latencyMs.toFixed(1)} ms`;
    if (!durable) {
      return note(
        'store',
        `${what}; a crash of the server loses the last moments`,
        'Set `synchronous_commit` and `fsync` to on in the server.',
      );
    }
    return latencyMs > slowMs
      ? note('store', what, 'Every commit waits that long: move the daemon nearer to the database.')
      : ok('store', what);
  } catch (error) {
    return missing('store', `${place.name}: ${reasonOf(error)}`, error instanceof AppError ? error.hint : '');
  }
}

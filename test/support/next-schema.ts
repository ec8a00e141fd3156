/**
 * `--import` of this file: the process is of a later version, which has migrations more of the Postgres store. NEXT_SCHEMA says how many; they
 * only add what nothing reads, as the first half of a change of the schema does.
 */
import { registerHooks } from 'node:module';

const count = Number(process.env['NEXT_SCHEMA'] ?? 0);
const more = Array.from({ length: count }, (_, at) => `'ALTER TABLE %.sessions ADD COLUMN later_${at + 1} integer;'`);
const list = 'export const migrations: readonly string[] = [';

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (!url.endsWith('/store/postgres/migrate.ts') || count === 0) {
      return loaded;
    }
    const { source: read } = loaded;
    const source = typeof read === 'string' ? read : new TextDecoder().decode(read);
    const at = source.indexOf('];', source.indexOf(list));
    if (!source.includes(list)) {
      throw new Error('the list of migrations is not where it was');
    }
    return { ...loaded, source: `${source.slice(0, at)}, ${more.join(', ')}${source.slice(at)}` };
  },
});

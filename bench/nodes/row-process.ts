/** Measures one row in a process of its own, on the server that is there. */
import type { Run } from '../harness.ts';
import { rows } from './rows.ts';

const [name = '', options = '{}'] = process.argv.slice(2);
const { quick, rounds } = JSON.parse(options) as Pick<Run, 'quick' | 'rounds'>;
const load = rows[name];
if (load === undefined) {
  throw new Error(`no row ${name}`);
}
const { row } = await load();
const run: Run = { quick, rounds, say: (text) => process.stderr.write(`bench nodes, ${name}: ${text}\n`) };
const figures = await row.measure(run);
// Said outright: a client of a peer may leave a timer behind.
process.send?.({ title: row.title, limit: row.limit, figures }, () => process.exit(0));

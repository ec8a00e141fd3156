/** Measures one row in a process of its own, so that no row runs in what another has left of heap and compiled code. */
import type { Run } from './harness.ts';
import { rows } from './rows.ts';

const [name = '', options = '{}'] = process.argv.slice(2);
const { quick, rounds } = JSON.parse(options) as Pick<Run, 'quick' | 'rounds'>;
const load = rows[name];
if (load === undefined) {
  throw new Error(`no row ${name}`);
}
const { row } = await load();
const figures = await row.measure({
  quick,
  rounds,
  say: (text) => process.stderr.write(`bench ${name}: ${text}\n`),
});
process.send?.({ title: row.title, limit: row.limit, figures }, () => process.disconnect());

import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { type Column, table } from '../output/table.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'nodes',
  group: 'Look after it',
  what: 'show the daemons that share the store, and what they do',
  next: 'Next: signalbox nodes drain NODE, before a node is updated or switched off',
  args: [],
  flags: [],
  examples: [{ line: 'signalbox nodes', what: '' }],
  run,
};

const columns: readonly Column[] = [
  { title: '  NODE', min: 10 },
  { title: 'STATE' },
  { title: 'SESSIONS' },
  { title: 'AGENTS' },
  { title: 'LABELS', min: 8, optional: true },
  { title: 'HOST, PID', min: 10 },
  { title: 'VERSION', optional: true },
  { title: 'ADDRESS', optional: true },
];

async function run(call: Call, io: Io): Promise<number> {
  const client = await connect(call, io);
  const answer = await client.nodes();
  if (io.json) {
    io.document(answer);
    return 0;
  }
  if (answer.items.length === 0) {
    io.say('This daemon has its store for itself; docs/postgres.md says how several share one.');
    return 0;
  }
  const rows = answer.items.map((node) => ({
    cells: [
      `${node.local ? '*' : ' '} ${node.name}`,
      node.state,
      String(node.sessions),
      `${node.agents} of ${node.maxAgents}${node.waiting === 0 ? '' : `, ${node.waiting} wait`}`,
      node.labels.join(' '),
      `${node.host} ${node.pid}`,
      node.version,
      node.address ?? '',
    ],
    paints: [io.paint.strong, node.state === 'up' ? io.paint.good : io.paint.warn],
  }));
  io.print(table(columns, rows, io));
  return 0;
}

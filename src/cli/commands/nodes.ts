import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { oneLine } from '../output/paint.ts';
import { table } from '../output/text.ts';
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
      `${node.local ? '*' : ' '} ${oneLine(node.name, 40)}`,
      node.state,
      String(node.sessions),
      `${node.agents} of ${node.maxAgents}${node.waiting === 0 ? '' : `, ${node.waiting} wait`}`,
      oneLine(node.labels.join(' '), 40),
      `${oneLine(node.host, 40)} ${node.pid}`,
      oneLine(node.version, 20),
      oneLine(node.address ?? '', 60),
    ],
    paints: [io.paint.strong, node.state === 'up' ? io.paint.good : io.paint.warn],
  }));
  io.print(table(['  NODE', 'STATE', 'SESSIONS', 'AGENTS', 'LABELS', 'HOST, PID', 'VERSION', 'ADDRESS'], rows, io));
  return 0;
}

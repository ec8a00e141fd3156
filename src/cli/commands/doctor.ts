import type { Call } from '../call.ts';
import type { Command } from '../command.ts';
import type { Io } from '../io.ts';
import { harmless } from '../output/paint.ts';
import { wrapped } from '../output/width.ts';

export const command: Command = {
  name: 'doctor',
  group: 'Look after it',
  what: 'what is missing on this machine, and how to get it; with --live, what a running daemon is stuck in',
  next: 'Exit code 1 means that something needed is missing, or hangs; the lines marked so say what to do',
  args: [],
  flags: [
    { name: 'live', what: 'take a hang report of the running daemon, also while its main loop is blocked' },
    {
      name: 'config',
      short: 'c',
      value: 'FILE',
      what: 'configuration to check; default: the nearest signalbox.config.ts',
    },
  ],
  examples: [
    { line: 'signalbox doctor', what: '' },
    { line: 'signalbox doctor --live', what: 'where it hangs, and what waits for it' },
  ],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  if (call.on('live')) {
    const { live } = await import('../doctor/live.ts');
    return live(call, io);
  }
  const { checkAll } = await import('../doctor/checks.ts');
  const { agentPrefix, standIn } = await import('../doctor/agents.ts');
  const checks = await checkAll(call, io);
  const lacking = checks.filter(({ state }) => state === 'missing').length;
  if (io.json) {
    io.document({ ok: lacking === 0, checks });
    return lacking === 0 ? 0 : 1;
  }
  const { paint } = io;
  const signs = { ok: paint.good('✓'), note: paint.faint('·'), missing: paint.bad('✗') } as const;
  const width = Math.max(...checks.map(({ name }) => name.length));
  const room = io.terminal ? Math.max(20, io.columns - width - 4) : Number.POSITIVE_INFINITY;
  const lines = (text: string, indent: string): string =>
    wrapped(harmless(text), room - indent.length).join(`\n${' '.repeat(width + 4)}${indent}`);
  for (const { name, state, what, fix } of checks) {
    io.print(`${signs[state]} ${name.padEnd(width)}  ${lines(what, '')}`);
    if (fix !== undefined && fix !== '') {
      io.print(`  ${' '.repeat(width)}  ${paint.faint('→')} ${lines(fix, '  ')}`);
    }
  }
  io.print('');
  const usable = checks.find(({ name, state }) => state === 'ok' && name.startsWith(agentPrefix) && name !== standIn);
  const next = usable === undefined ? '' : ` Next: signalbox up --agent ${usable.name.slice(agentPrefix.length)}`;
  io.print(
    lacking === 0
      ? `Nothing that is needed is missing.${next}`
      : paint.bad(`${lacking} of what is needed ${lacking === 1 ? 'is' : 'are'} missing.`),
  );
  return lacking === 0 ? 0 : 1;
}

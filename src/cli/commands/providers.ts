import type { Provider } from '../../protocol/providers.ts';
import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { type Column, table } from '../output/table.ts';
import { ageText } from '../output/text.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'providers',
  group: 'Look after it',
  what: 'show the providers of models, and which of them are throttled',
  next: 'Next: signalbox providers resume PROVIDER, after a new login or a raised quota',
  args: [],
  flags: [],
  examples: [{ line: 'signalbox providers', what: '' }],
  run,
};

const columns: readonly Column[] = [
  { title: 'PROVIDER', min: 10 },
  { title: 'AGENTS', min: 8 },
  { title: 'STATE', min: 12 },
  { title: 'REASON' },
  { title: 'FAILURES', optional: true },
  { title: 'LAST MESSAGE', min: 20 },
];

function stateText({ state, level, until }: Provider, now: number): string {
  const what =
    state === 'free'
      ? 'free'
      : state === 'probing'
        ? 'probing: background work waits'
        : level === 'all'
          ? 'throttled'
          : 'background work throttled';
  return until === null ? what : `${what}, ${ageText(until - now)} more`;
}

async function run(call: Call, io: Io): Promise<number> {
  const client = await connect(call, io);
  const answer = await client.providers();
  if (io.json) {
    io.document(answer);
    return 0;
  }
  const now = Date.now();
  const rows = answer.items.map((provider) => ({
    cells: [
      provider.name,
      provider.agents.join(', '),
      stateText(provider, now),
      provider.reason ?? '',
      String(provider.failures),
      provider.message === null ? '' : `${provider.status === null ? '' : `${provider.status} `}${provider.message}`,
    ],
    paints: [io.paint.strong, io.paint.strong, provider.state === 'free' ? io.paint.good : io.paint.warn],
  }));
  io.print(table(columns, rows, io));
  return 0;
}

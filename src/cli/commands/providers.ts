import type { Provider } from '../../protocol/providers.ts';
import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { oneLine } from '../output/paint.ts';
import { ageText, table } from '../output/text.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'providers',
  group: 'Look after it',
  what: 'whether providers of models limit, fail or reject, and what waits for that',
  next: 'Next: signalbox providers resume PROVIDER, when it is mended: a new login, a raised quota',
  args: [],
  flags: [],
  examples: [{ line: 'signalbox providers', what: '' }],
  run,
};

function stateText({ state, level, until }: Provider, now: number): string {
  const what =
    state === 'free'
      ? 'free'
      : state === 'probing'
        ? 'probing: background work waits'
        : level === 'all'
          ? 'paused'
          : 'background work paused';
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
      oneLine(provider.name, 40),
      stateText(provider, now),
      provider.reason ?? '',
      String(provider.failures),
      provider.message === null ? '' : `${provider.status === null ? '' : `${provider.status} `}${provider.message}`,
    ],
    paints: [io.paint.strong, provider.state === 'free' ? io.paint.good : io.paint.warn],
  }));
  io.print(table(['PROVIDER', 'STATE', 'REASON', 'FAILURES', 'IN ITS WORDS'], rows, io));
  return 0;
}

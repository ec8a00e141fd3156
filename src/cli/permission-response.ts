/** `approve` and `deny`: which permission requests are meant, and the answer to each. */
import { AppError } from '../core/errors.ts';
import type { Ask } from '../protocol/permissions.ts';
import type { Call } from './call.ts';
import type { Argument, Flag } from './command.ts';
import { whoAsks } from './operator.ts';
import { connect } from './connect.ts';
import type { Io } from './io.ts';
import { oneLine } from './output/paint.ts';

/** What both take. */
export const requestArguments: readonly Argument[] = [
  { name: 'TARGET', optional: true },
  { name: 'REQUEST', optional: true },
];
export const allFlag: Flag = { name: 'all', what: 'all that wait, of TARGET where one is given' };

const line = ({ session, request, tool, title }: Ask): string =>
  `  ${oneLine(session, 60)} ${oneLine(request, 60)}  ${oneLine(`${tool}: ${title}`, 120)}`;

/** Throws `nothing_asked`; `usage` where more than one could be meant: nobody allows what was not read. */
function meant(open: readonly Ask[], call: Call): readonly Ask[] {
  const target = call.argOr('TARGET', null);
  const request = call.argOr('REQUEST', null);
  const there = open.filter(({ session, task }) => target === null || session === target || task === target);
  const exact = there.filter((ask) => ask.request === request);
  const named =
    request === null ? there : exact.length > 0 ? exact : there.filter((ask) => ask.request.startsWith(request));
  if (named.length === 0) {
    throw new AppError({
      code: 'nothing_asked',
      message:
        open.length === 0
          ? 'nobody asks for anything'
          : `nothing of that name waits for an answer; there is\n${open.map(line).join('\n')}`,
    });
  }
  if (named.length > 1 && !call.on('all')) {
    throw new AppError({
      code: 'usage',
      message: `${named.length} requests wait:\n${named.map(line).join('\n')}`,
      hint: 'Name one by its session and request, or say --all.',
    });
  }
  return named;
}

export async function answer(call: Call, io: Io, allow: boolean): Promise<number> {
  const client = await connect(call, io);
  const note = allow ? null : call.text('reason');
  const asks = meant((await client.asks()).items, call);
  for (const { session, turn, request } of asks) {
    await client.answer(session, { turn, request, allow, ...(note === null ? {} : { note }), ...whoAsks(call, io) });
  }
  if (io.json) {
    io.document({ allow, items: asks });
  } else {
    const word = allow ? io.paint.good('allowed') : io.paint.warn('denied');
    for (const ask of asks) {
      io.print(`${word}${line(ask).slice(1)}`);
    }
  }
  return 0;
}

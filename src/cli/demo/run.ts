/** `signalbox demo`: sets the stage, shows the play, judges it, and leaves nothing behind. */
import { randomBytes, randomUUID } from 'node:crypto';
import { createClient } from '../../client/index.ts';
import type { Io } from '../io.ts';
import { Board } from './board.ts';
import type { Row } from './board.ts';
import type { DemoDaemon } from './child.ts';
import { isThere, startDemoDaemon } from './child.ts';
import type { Evidence } from './evidence.ts';
import { figuresOf } from './figures.ts';
import type { Played } from './play.ts';
import { collect, names, play, playDeadlineMs } from './play.ts';
import type { Look } from './render.ts';
import { header, line } from './render.ts';
import { report } from './report.ts';
import { onStage } from './stage.ts';
import { verify } from './verify.ts';

const session = 'github:Codertocat/Hello-World';

interface Shown {
  readonly played: Played;
  readonly rows: readonly Row[];
}

async function show(daemon: DemoDaemon, secret: string, look: Look, io: Io, signal: AbortSignal): Promise<Shown> {
  const { recordedDeliveries } = await import('../../gateways/github/recorded/index.ts');
  const { signDelivery } = await import('../../gateways/github/signature.ts');
  const board = new Board(names);
  const rows: Row[] = [];
  if (!io.json) {
    io.print(`A daemon of its own (process ${daemon.pid}) answers at ${daemon.url}.`);
    io.print(`A background task works in the session ${session};`);
    io.print('three signed GitHub deliveries come in while its agent, a real process, streams.');
    io.print('');
    io.print(header(look));
  }
  const played = await play({
    url: daemon.url,
    client: createClient({ baseUrl: daemon.url, token: daemon.token }),
    session,
    deliveries: recordedDeliveries,
    sign: ({ event, payload }) => signDelivery({ event, payload, secret, delivery: randomUUID() }),
    signal,
    onReceipt(receipt, what) {
      board.expect(receipt.task, receipt.name, what);
      if (io.json) {
        io.document({ type: 'receipt', ...receipt, what });
      }
    },
    onEvent(event) {
      if (io.json) {
        io.document({ type: 'event', event });
      }
      for (const row of board.rows(event)) {
        rows.push(row);
        if (!io.json) {
          io.print(line(row, look));
        }
      }
    },
  });
  return { played, rows };
}

/** Name of the owner of each turn, by the turn's number. */
function ownersOf({ feed, receipts }: Played): ReadonlyMap<number, string> {
  const nameOf = new Map(receipts.map(({ name, task }) => [task, name]));
  const sent = feed.filter((event) => event.type === 'turn-sent');
  return new Map(sent.map(({ task, data }) => [data.turn, nameOf.get(task) ?? '']));
}

async function perform(daemon: DemoDaemon, secret: string, look: Look, io: Io, signal: AbortSignal): Promise<number> {
  const shown = await Promise.race([show(daemon, secret, look, io, signal), daemon.died]);
  const stored = await collect(createClient({ baseUrl: daemon.url, token: daemon.token }), shown.played.receipts);
  const ended = await daemon.end();
  const agentLog = daemon.agentLog();
  const pids = new Set([daemon.pid, ...agentLog.map(({ pid }) => pid)]);
  const evidence: Evidence = {
    receipts: shown.played.receipts,
    background: 'background',
    feed: shown.played.feed.filter((event) => event.session === session),
    ...stored,
    agentLog,
    strays: [...pids].filter(isThere),
  };
  const judgements = verify(evidence);
  const orderly = {
    guarantee: 'the daemon ended by itself when it was asked to',
    breaches: ended ? [] : ['it had to be killed'],
  };
  const result = {
    rows: shown.rows,
    figures: figuresOf(agentLog, shown.played.times, ownersOf(shown.played)),
    judgements: [...judgements, orderly],
    tasks: shown.played.receipts.length,
    events: shown.played.feed.length,
  };
  return report(result, look, io);
}

/** The agent answers at the pace of a fast reader. */
const agentFlags = ['--chunk-ms', '180'];

/** Resolves with 0: all guarantees held; 1: one did not; 130: it was interrupted. */
export function demo(io: Io): Promise<number> {
  const secret = randomBytes(24).toString('hex');
  const look: Look = { names, paint: io.paint, columns: Math.min(io.columns, 100) };
  return onStage(playDeadlineMs, async ({ signal, adopt }) => {
    const daemon = await startDemoDaemon({ agentFlags, env: { SIGNALBOX_GITHUB_SECRET: secret } }, adopt);
    return perform(daemon, secret, look, io, signal);
  });
}

/** `signalbox demo`: sets the stage, shows the play, judges it, and leaves nothing behind. */
import { randomBytes, randomUUID } from 'node:crypto';
import { createClient } from '../../client/index.ts';
import { AppError } from '../../core/errors.ts';
import type { Io } from '../io.ts';
import { Board } from './board.ts';
import type { Row } from './board.ts';
import type { DemoDaemon } from './child.ts';
import { isThere, startDemoDaemon } from './child.ts';
import { diagram } from './diagram.ts';
import type { Evidence } from './evidence.ts';
import type { Figure } from './figures.ts';
import { figuresOf } from './figures.ts';
import type { Played } from './play.ts';
import { collect, names, play, playDeadlineMs } from './play.ts';
import type { Look } from './render.ts';
import { header, legend, line } from './render.ts';
import type { Judgement } from './verify.ts';
import { allHeld, verify } from './verify.ts';

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

function printFigures(figures: readonly Figure[], io: Io): void {
  const width = Math.max(...figures.map(({ name }) => name.length));
  for (const { name, values } of figures) {
    const one = values.length === 1;
    const texts = values.map(({ of, ms }) => `${one ? '' : `${of} `}${ms.toFixed(1)} ms`);
    io.print(`  ${name.padEnd(width)}   ${io.paint.strong(texts.join('  '))}`);
  }
}

function printJudgements(judgements: readonly Judgement[], io: Io): void {
  for (const { guarantee, breaches } of judgements) {
    io.print(`  ${breaches.length === 0 ? io.paint.good('✓') : io.paint.bad('✗')} ${guarantee}`);
    for (const breach of breaches) {
      io.print(`      ${io.paint.bad(breach)}`);
    }
  }
}

function report(
  shown: Shown,
  figures: readonly Figure[],
  judgements: readonly Judgement[],
  look: Look,
  io: Io,
): number {
  const held = allHeld(judgements);
  if (io.json) {
    for (const figure of figures) {
      io.document({ type: 'figure', ...figure });
    }
    for (const judgement of judgements) {
      io.document({ type: 'check', ...judgement });
    }
    io.document({ type: 'verdict', held });
    return held ? 0 : 1;
  }
  io.print(legend(look));
  io.print('');
  for (const track of diagram(shown.rows, look)) {
    io.print(track);
  }
  io.print('');
  printFigures(figures, io);
  io.print('');
  printJudgements(judgements, io);
  io.print('');
  const broken = judgements.filter(({ breaches }) => breaches.length > 0).length;
  const events = shown.played.feed.length;
  io.print(
    held
      ? io.paint.good(
          `All ${judgements.length} guarantees held, over ${shown.played.receipts.length} tasks and ${events} events.`,
        )
      : io.paint.bad(`${broken} of ${judgements.length} guarantees did NOT hold.`),
  );
  return held ? 0 : 1;
}

async function perform(daemon: DemoDaemon, secret: string, look: Look, io: Io, signal: AbortSignal): Promise<number> {
  const shown = await Promise.race([show(daemon, secret, look, io, signal), daemon.died]);
  const stored = await collect(createClient({ baseUrl: daemon.url, token: daemon.token }), shown.played);
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
  return report(
    shown,
    figuresOf(agentLog, shown.played.times, ownersOf(shown.played)),
    [...judgements, orderly],
    look,
    io,
  );
}

/** Resolves with 0: all guarantees held; 1: one did not; 130: it was interrupted. */
export async function demo(io: Io): Promise<number> {
  const secret = randomBytes(24).toString('hex');
  const look: Look = { names, paint: io.paint, columns: Math.min(io.columns, 100) };
  const stop = new AbortController();
  const interrupted = Promise.withResolvers<number>();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => {
      stop.abort();
      interrupted.resolve(130);
    });
  }
  const late = setTimeout(() => stop.abort(), playDeadlineMs);
  let started: Pick<DemoDaemon, 'end' | 'clean'> | null = null;
  const whole = async (): Promise<number> => {
    const daemon = await startDemoDaemon(secret, (one) => (started = one));
    return perform(daemon, secret, look, io, stop.signal);
  };
  try {
    return await Promise.race([whole(), interrupted.promise]);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'aborted') {
      throw error;
    }
    throw new AppError({
      code: 'aborted',
      message: `the demo did not end within ${playDeadlineMs / 1000} s; the machine may be very busy`,
    });
  } finally {
    clearTimeout(late);
    const left = started as Pick<DemoDaemon, 'end' | 'clean'> | null;
    await left?.end();
    left?.clean();
  }
}

/** `signalbox demo --nodes N`: real daemons on one Postgres database; one of them is killed while it works. */
import { createClient, type ReadEvent } from '../../../client/index.ts';
import { join } from 'node:path';
import type { Io } from '../../io.ts';
import { Board, type Row } from '../board.ts';
import { type DemoDaemon, isThere, startDemoDaemon } from '../child.ts';
import type { Evidence } from '../evidence.ts';
import type { Figure } from '../figures.ts';
import { figuresOf } from '../figures.ts';
import { collect } from '../play.ts';
import { header, line, type Look } from '../render.ts';
import { report } from '../report.ts';
import { demoFolder, onStage, type Part } from '../stage.ts';
import { judge, type NamedRule } from '../verify.ts';
import { background, type NodesPlayed, playOnNodes, taskNames } from './play.ts';
import { type DemoDatabase, findPrograms, makeDatabase, startServer } from './postgres.ts';

const session = 'demo:nodes';
const nodeNames = ['alpha', 'beta', 'gamma'];
/** Short, for a short demo; long enough for a busy machine. */
const ttlMs = 3_000;
/** With the start of a server and of all nodes, and a takeover. */
const deadlineMs = 60_000;

interface DemoNode {
  readonly name: string;
  readonly daemon: DemoDaemon;
}

interface Scene {
  readonly nodes: readonly DemoNode[];
  readonly database: DemoDatabase;
  readonly look: Look;
  readonly io: Io;
  readonly signal: AbortSignal;
}

const clientOf = ({ url, token }: DemoDaemon) => createClient({ baseUrl: url, token });

async function startNodes(count: number, store: string, adopt: (part: Part) => void): Promise<readonly DemoNode[]> {
  const { path, clean } = demoFolder();
  adopt({ end: () => Promise.resolve(), clean });
  const agentLog = join(path, 'agent.log');
  // On one machine, a conversation is where the next node finds it.
  const agentFlags = ['--chunk-ms', '180', '--state', join(path, 'conversations')];
  return Promise.all(
    nodeNames.slice(0, count).map(async (name) => {
      const env = { SIGNALBOX_STORE: store, SIGNALBOX_NODE_NAME: name, SIGNALBOX_NODE_TTL_MS: String(ttlMs) };
      return { name, daemon: await startDemoDaemon({ agentFlags, agentLog, env }, adopt) };
    }),
  );
}

function printOpening({ nodes, database, look, io }: Scene): void {
  const [first, door] = nodes;
  io.print(database.what);
  for (const { name, daemon } of nodes) {
    io.print(`The node ${name} (process ${daemon.pid}) answers at ${daemon.url}.`);
  }
  io.print(`A background task works in a session of ${first?.name}; an urgent one comes in through ${door?.name}.`);
  io.print(`Then ${first?.name} is killed. What you see is what ${nodes.at(-1)?.name} sees.`);
  io.print('');
  io.print(header(look));
}

async function show(scene: Scene): Promise<{ readonly played: NodesPlayed; readonly rows: readonly Row[] }> {
  const { nodes, look, io, signal } = scene;
  const board = new Board(taskNames);
  const rows: Row[] = [];
  const add = (row: Row): void => {
    rows.push(row);
    if (!io.json) {
      io.print(line(row, look));
    }
  };
  const tell = (document: object): void => {
    if (io.json) {
      io.document(document);
    }
  };
  if (!io.json) {
    printOpening(scene);
  }
  const played = await playOnNodes({
    nodes: nodes.map(({ name, daemon }) => ({ name, client: clientOf(daemon), kill: daemon.kill })),
    session,
    signal,
    onReceipt(receipt, what) {
      board.expect(receipt.task, receipt.name, what);
      tell({ type: 'receipt', ...receipt, what });
    },
    onEvent(event) {
      tell({ type: 'event', event });
      board.rows(event).forEach(add);
    },
    onNode(name, what) {
      tell({ type: 'node', name, what });
      add(board.nodeRow(name, Date.now(), what));
    },
  });
  return { played, rows };
}

/** What only several nodes have to show. */
function rulesOf({ nodes }: Scene, { tape, owners, killedAt }: NodesPlayed): readonly NamedRule[] {
  const names = nodes.map(({ name }) => name);
  const through = names.at(-1);
  const line = (events: readonly ReadEvent[]): string => events.map(({ seq, type }) => `${seq} ${type}`).join();
  const taskOf = ({ receipts }: Evidence, name: string) =>
    receipts.find((receipt) => receipt.name === name)?.task ?? '';
  return [
    [
      `the tape that ${through} followed has each event once, in order, across the takeover`,
      (evidence) =>
        line(tape) === line(evidence.tapes.get(taskOf(evidence, background)) ?? []) ? [] : ['it is not what is stored'],
    ],
    [
      `${names[0]} owned the session while ${names[1]} took the urgent task`,
      () => (owners.before.join() === names[0] ? [] : [`it was owned by ${owners.before.join()}`]),
    ],
    [
      'a surviving node took the session over, and finished the task that was cut off',
      (evidence) => [
        ...(owners.after.length === 1 && owners.after[0] !== names[0] ? [] : [`owned by ${owners.after.join()}`]),
        ...(killedAt === null ? ['no node was killed'] : []),
        ...(['attempt-lost', 'final'] as const)
          .filter((type) => !evidence.tapes.get(taskOf(evidence, background))?.some((event) => event.type === type))
          .map((type) => `the tape of ${background} has no ${type}`),
      ],
    ],
  ];
}

function figuresOn(played: NodesPlayed, evidence: Evidence): readonly Figure[] {
  const { times, killedAt, takenAt } = played;
  const [interrupt, acked] = figuresOf(evidence.agentLog, [times], new Map());
  const next = evidence.agentLog.find(
    (entry) => entry.event === 'prompt' && killedAt !== null && BigInt(entry.at) > killedAt,
  );
  const since = (to: bigint | null): Figure['values'] =>
    killedAt === null || to === null ? [] : [{ of: background, ms: Number(to - killedAt) / 1e6 }];
  return [
    ...(interrupt === undefined ? [] : [{ ...interrupt, name: 'sent to another node → interrupt read by the agent' }]),
    ...(acked === undefined ? [] : [acked]),
    {
      name: 'sent to another node → 202, durable',
      values: [{ of: 'A', ms: Number(times.answered - times.sent) / 1e6 }],
    },
    { name: `SIGKILL → taken over (time-to-live ${ttlMs / 1000} s)`, values: since(takenAt) },
    { name: 'SIGKILL → next prompt read by an agent', values: since(next === undefined ? null : BigInt(next.at)) },
  ];
}

async function perform(scene: Scene): Promise<number> {
  const { nodes, look, io } = scene;
  const [first, ...survivors] = nodes;
  const { played, rows } = await Promise.race([show(scene), ...nodes.map(({ daemon }) => daemon.died)]);
  const watched = survivors.at(-1)?.daemon;
  if (first === undefined || watched === undefined) {
    throw new RangeError('a demo on nodes has at least two');
  }
  const stored = await collect(clientOf(watched), played.receipts);
  const ended = await Promise.all(survivors.map(({ daemon }) => daemon.end()));
  const agentLog = watched.agentLog();
  const pids = new Set([...nodes.map(({ daemon }) => daemon.pid), ...agentLog.map(({ pid }) => pid)]);
  const evidence: Evidence = {
    receipts: played.receipts,
    background,
    feed: played.feed.filter((event) => event.session === session),
    ...stored,
    agentLog,
    strays: [...pids].filter((pid) => isThere(pid)),
  };
  const judgements = judge(evidence, rulesOf(scene, played));
  const orderly = {
    guarantee: 'the surviving nodes ended by themselves when they were asked to',
    breaches: ended.every(Boolean) ? [] : ['one had to be killed'],
  };
  const result = {
    rows,
    figures: figuresOn(played, evidence),
    judgements: [...judgements, orderly],
    tasks: played.receipts.length,
    events: played.feed.length,
  };
  return report(result, look, io);
}

/** Resolves with 0: all guarantees held; 1: one did not; 130: it was interrupted. `store`: URL of a server to use; null: the demo brings one. */
export function demoOnNodes(count: number, store: string | null, io: Io): Promise<number> {
  const look: Look = { names: taskNames, paint: io.paint, columns: Math.min(io.columns, 100) };
  return onStage(deadlineMs, async ({ signal, adopt }) => {
    const database =
      store === null
        ? await startServer(findPrograms([import.meta.url, join(io.cwd, 'package.json')]), adopt)
        : await makeDatabase(store, adopt);
    const nodes = await startNodes(count, database.url, adopt);
    return perform({ nodes, database, look, io, signal });
  });
}

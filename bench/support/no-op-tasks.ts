/** No-op tasks over many sessions, from the first submit to the last `final`: ours, as its peers are measured. */
import { type AgentDriver, functionDriver } from '../../src/agents/index.ts';
import { createSignalbox, type Signalbox } from '../../src/runtime/index.ts';
import { openSqliteStore, type Durability } from '../../src/store/index.ts';
import { rate } from '../harness.ts';

export interface Load {
  readonly sessions: number;
  readonly perSession: number;
  /** Submits whose answer is awaited at a time. */
  readonly inFlight: number;
}

/** Calls `send` for every task, each session's in turn, `inFlight` at a time. */
export async function sendAll(load: Load, send: (session: number, at: number) => Promise<unknown>): Promise<void> {
  const total = load.sessions * load.perSession;
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < total) {
      const at = next;
      next += 1;
      await send(at % load.sessions, at);
    }
  };
  await Promise.all(Array.from({ length: Math.min(load.inFlight, total) }, sender));
}

/** The runtime on an embedded store, with an agent that is a function and answers at once. */
export function openOurs(path: string, durability: Durability, load: Load) {
  const limits = { maxAgents: load.sessions };
  return ours(createSignalbox({ store: openSqliteStore({ path, durability }), agent: noOpAgent(), limits }), load);
}

export const noOpAgent = (): AgentDriver =>
  functionDriver(async function* () {
    yield 'done';
  });

/** `box`: with a no-op agent, of which it may run one for each session. */
export async function ours(box: Signalbox, load: Load) {
  await box.ready;
  const total = load.sessions * load.perSession;
  return {
    /** Tasks per second. */
    round: (): Promise<number> =>
      rate(total, async () => {
        let ended = 0;
        const { promise, resolve } = Promise.withResolvers<void>();
        const stop = box.listen({ all: true }, (events) => {
          for (const { type } of events) {
            ended += type === 'final' ? 1 : 0;
          }
          if (ended === total) {
            resolve();
          }
        });
        await sendAll(load, async (session) => {
          const answer = await box.submit({ session: `bench:no-op-${session}`, prompt: 'nothing' });
          if (answer.kind !== 'accepted') {
            throw new Error(answer.code);
          }
        });
        await promise;
        stop();
      }),
    [Symbol.asyncDispose]: () => box.close({ graceMs: 0 }),
  };
}

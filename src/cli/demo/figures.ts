/**
 * The figures, from the agent's own log and the demo's clock: both are the machine's monotonic clock, in nanoseconds, so
 * what is measured is what the agent process saw, not what the daemon believes.
 */
import type { AgentLine } from './evidence.ts';

export interface DeliveryTimes {
  readonly name: string;
  /** When the first byte of the request was written, and when its answer had been read. */
  readonly sent: bigint;
  readonly answered: bigint;
}

export interface Figure {
  readonly name: string;
  /** Milliseconds; of which turn or delivery, where there are several. */
  readonly values: readonly { readonly of: string; readonly ms: number }[];
}

const ms = (from: bigint, to: bigint): number => Number(to - from) / 1e6;

/** `owners`: name of the owner of each turn, by its number. */
export function figuresOf(
  log: readonly AgentLine[],
  deliveries: readonly DeliveryTimes[],
  owners: ReadonlyMap<number, string>,
): readonly Figure[] {
  const at = (event: string, turn?: number): bigint | null => {
    const found = log.find((line) => line.event === event && (turn === undefined || line.turn === turn));
    return found === undefined ? null : BigInt(found.at);
  };
  const interrupt = at('interrupt');
  const ack = at('ack');
  const first = deliveries[0];
  const boundaries = [...owners].flatMap(([turn, of]) => {
    const from = at('result', turn - 1);
    const to = at('prompt', turn);
    return from === null || to === null ? [] : [{ of, ms: ms(from, to) }];
  });
  return [
    {
      name: 'delivery sent → interrupt read by the agent',
      values: interrupt === null || first === undefined ? [] : [{ of: first.name, ms: ms(first.sent, interrupt) }],
    },
    {
      name: 'interrupt read → acknowledged by the agent',
      values: interrupt === null || ack === null ? [] : [{ of: 'background', ms: ms(interrupt, ack) }],
    },
    { name: 'boundary written → next prompt read', values: boundaries },
    {
      name: 'delivery sent → 202, durable',
      values: deliveries.map(({ name, sent, answered }) => ({ of: name, ms: ms(sent, answered) })),
    },
  ];
}

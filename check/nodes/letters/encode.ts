/** When two states are one. Sessions, rows and writes are compared whole, by their text, which stands once for all states. */
import type { Writer } from '../../engine/index.ts';
import { nodeNames, type World } from './world.ts';

const stages = ['unsent', 'there', 'gone'] as const;
const owners = [null, 'A', 'B'] as const;
const outcomes = [null, 'committed', 'fenced', 'withdrawn'] as const;

export function encoder(): (world: World, out: Writer) => void {
  const texts = new Map<string, number>();
  const known = new WeakMap<object, number>();
  const idOf = (value: object): number => {
    let id = known.get(value);
    if (id === undefined) {
      const text = JSON.stringify(value);
      id = texts.get(text) ?? texts.size;
      texts.set(text, id);
      known.set(value, id);
    }
    return id;
  };
  return (world, out) => {
    out.byte(owners.indexOf(world.owner));
    out.flag(world.isDead.A);
    out.uint(world.lease);
    out.uint(world.version);
    out.uint(world.claims);
    out.uint(idOf(world.durable));
    for (const [index, { stage, isWithdrawn, applied }] of world.letters.entries()) {
      out.byte(stages.indexOf(stage) * 16 + (isWithdrawn ? 8 : 0) + applied);
      out.byte(world.finals[index] ?? 0);
    }
    for (const name of nodeNames) {
      const held = world.holds[name];
      out.flag(held !== null);
      if (held !== null) {
        out.uint(idOf(held.ticket));
        out.uint(held.version);
        out.uint(idOf(held.session));
        out.uint(held.agent === null ? 0 : idOf(held.agent) + 1);
        out.uint(held.pending === null ? 0 : idOf(held.pending) + 1);
        out.byte(outcomes.indexOf(held.outcome));
      }
    }
    out.byte(world.late.length);
    for (const write of world.late) {
      out.uint(idOf(write));
    }
    out.byte(world.lateInterrupts.length);
    for (const interrupt of world.lateInterrupts) {
      out.uint(idOf(interrupt));
    }
  };
}

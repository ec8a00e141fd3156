/** Every row by its name, in the order of the design; each is loaded only in the process that measures it. */
import type { Row } from './harness.ts';

export const rows: { readonly [name: string]: () => Promise<{ readonly row: Row }> } = {
  preempt: () => import('./rows/preempt.ts'),
  append: () => import('./rows/append.ts'),
  tasks: () => import('./rows/tasks.ts'),
  step: () => import('./rows/step.ts'),
  moves: () => import('./rows/moves.ts'),
  parts: () => import('./rows/parts.ts'),
  grant: () => import('./rows/grant.ts'),
  fairness: () => import('./rows/fairness.ts'),
  'fan-out': () => import('./rows/fan-out.ts'),
  replay: () => import('./rows/replay.ts'),
  delivery: () => import('./rows/delivery.ts'),
  start: () => import('./rows/start.ts'),
  growth: () => import('./rows/growth.ts'),
  chain: () => import('./rows/chain.ts'),
  idle: () => import('./rows/idle.ts'),
  slices: () => import('./rows/slices.ts'),
  slots: () => import('./rows/slots.ts'),
  live: () => import('./rows/live.ts'),
};

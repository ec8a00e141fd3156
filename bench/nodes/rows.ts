/** Every row by its name; each is loaded only in the process that measures it. */
import type { Row } from '../harness.ts';

export const rows: { readonly [name: string]: () => Promise<{ readonly row: Row }> } = {
  tasks: () => import('./rows/tasks.ts'),
  dispatch: () => import('./rows/dispatch.ts'),
  preempt: () => import('./rows/preempt.ts'),
  takeover: () => import('./rows/takeover.ts'),
  append: () => import('./rows/append.ts'),
  cancel: () => import('./rows/cancel.ts'),
  beats: () => import('./rows/beats.ts'),
  tables: () => import('./rows/tables.ts'),
};

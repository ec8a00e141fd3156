/**
 * Which event of a turn can happen in which phase. The table is total in its types: a new phase or event does not compile until
 * each cell is stated. It is consulted for every event of a turn.
 */
import type { TurnInput } from '../model/inputs.ts';
import type { TurnPhase } from '../model/session.ts';

type Cell = 'apply' | 'stale';

/** Whether an event of the live turn applies in a phase. An ack that nobody asked for, or a second "started", is stale. */
export const turnCells: { readonly [P in TurnPhase]: { readonly [T in TurnInput['type']]: Cell } } = {
  pending: {
    'turn-started': 'stale',
    output: 'stale',
    ack: 'stale',
    result: 'stale',
    steered: 'stale',
    'permission-requested': 'stale',
    'permission-withdrawn': 'stale',
    'turn-limit': 'stale',
  },
  sent: {
    'turn-started': 'apply',
    output: 'apply',
    ack: 'stale',
    result: 'apply',
    steered: 'stale',
    'permission-requested': 'apply',
    'permission-withdrawn': 'apply',
    'turn-limit': 'apply',
  },
  running: {
    'turn-started': 'stale',
    output: 'apply',
    ack: 'stale',
    result: 'apply',
    steered: 'apply',
    'permission-requested': 'apply',
    'permission-withdrawn': 'apply',
    'turn-limit': 'apply',
  },
  draining: {
    'turn-started': 'stale',
    output: 'apply',
    ack: 'apply',
    result: 'apply',
    steered: 'apply',
    'permission-requested': 'apply',
    'permission-withdrawn': 'stale',
    'turn-limit': 'stale',
  },
};

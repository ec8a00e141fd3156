/** Flags and arguments that several commands have. */
import { LANES } from '../../core/model.ts';
import type { Argument, Flag } from '../command.ts';

export const lane: Flag = {
  name: 'lane',
  value: 'LANE',
  kind: 'choice',
  choices: LANES,
  what: LANES.join(' or '),
};
export const by: Flag = { name: 'by', value: 'NAME', what: 'who asks, for the tape; default: your user name' };
export const limit: Flag = { name: 'limit', value: 'N', kind: 'integer', what: 'how many at most; default 50' };
export const cursor: Flag = {
  name: 'cursor',
  value: 'CURSOR',
  what: 'the next page, by the cursor that the page before gave',
};
export const task: Argument = { name: 'TASK' };
export const session: Argument = { name: 'SESSION' };

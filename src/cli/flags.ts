/** Flags and arguments that every command has, or several have. */
import { lanes } from '../core/model/task.ts';
import type { Argument, Flag } from './command.ts';

/** Flags of every command. */
export const globalFlags: readonly Flag[] = [
  { name: 'json', what: 'print one JSON document, or one per line where the output is a stream' },
  {
    name: 'data',
    value: 'FOLDER',
    what: 'data folder, where the daemon keeps its database, its token and its address',
  },
  { name: 'url', value: 'URL', what: 'address of the daemon; default: what it wrote into the data folder' },
  { name: 'token', value: 'TOKEN', what: 'default: the one in the data folder' },
  { name: 'help', short: 'h', what: 'help on this command' },
];

export const laneFlag: Flag = {
  name: 'lane',
  value: 'LANE',
  kind: 'choice',
  choices: lanes,
  what: lanes.join(' or '),
};
export const byFlag: Flag = { name: 'by', value: 'NAME', what: 'who asks, for the tape; default: your user name' };
export const limitFlag: Flag = { name: 'limit', value: 'N', kind: 'integer', what: 'how many at most; default 50' };
export const cursorFlag: Flag = {
  name: 'cursor',
  value: 'CURSOR',
  what: 'the next page, by the cursor that the page before gave',
};
export const quietFlag: Flag = { name: 'quiet', short: 'q', what: 'print the ids alone, one on each line' };
export const rawFlag: Flag = { name: 'raw', what: 'show the protocol: every event on a line' };
export const labelFlag: Flag = { name: 'label', value: 'NAME=TEXT', many: true, what: '' };
export const taskArgument: Argument = { name: 'TASK' };
export const sessionArgument: Argument = { name: 'SESSION' };

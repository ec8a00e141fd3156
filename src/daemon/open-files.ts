/** How many connections fit into the files that this process may have open. */
import { readFileSync } from 'node:fs';

/** For the database, the log, modules, and what threads of Node have open. */
const ownFiles = 128;
/** Of each agent: pipes, and what starts it. */
const agentFiles = 8;
/** Of each connection: one that has made room for it may not have closed yet. */
const connectionFiles = 2;
const connectionsMin = 16;

/** Node raises its limit to the hard one. Null: the system does not say, or sets none. */
function openFilesMax(): number | null {
  try {
    const most = /^Max open files +\S+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return most === undefined ? null : Number(most);
  } catch {
    return null;
  }
}

/**
 * At most `wanted`, and so many that agents can still start when all of them are open. `files`: how many this process may have open, where
 * that is the reason for less.
 */
export function connectionsThatFit(
  wanted: number,
  maxAgents: number,
  files: number | null = openFilesMax(),
): { readonly connections: number; readonly files: number | null } {
  if (files === null) {
    return { connections: wanted, files: null };
  }
  const fit = Math.floor((files - ownFiles - agentFiles * maxAgents) / connectionFiles);
  return fit >= wanted ? { connections: wanted, files: null } : { connections: Math.max(connectionsMin, fit), files };
}

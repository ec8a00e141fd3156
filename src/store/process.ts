/** Which process a row in a database speaks of, and whether it lives. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * When the process began, as text that no other process has; where the system does not say, the same for all. Null: there is
 * no such process.
 */
export function startOf(pid: number): string | null {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process may not be signalled, but it is there.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) {
      return null;
    }
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Fields 3 and 22; the name, field 2, may have blanks and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // One that has ended and that its parent has not asked about has no file open. In a container without an init that lasts.
    return fields[0] === 'Z' || fields[0] === 'X' ? null : `${bootId()} ${fields[19]}`;
  } catch {
    return '';
  }
}

/** Where the numbers of processes are this process's own: the boot of the machine and the namespace. Null: the system does not say. */
export function processSpace(): string | null {
  try {
    return `${bootId()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}

/** As `processSpace`; where the system does not say, the name of the machine. */
export const ownSpace = (): string => processSpace() ?? hostname();

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

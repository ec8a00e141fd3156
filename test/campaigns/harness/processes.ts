/** The process table, as a campaign looks at it. Linux only: elsewhere no process is seen. */
import { readdirSync, readFileSync } from 'node:fs';

/** Living processes, except this one, whose command line or environment contains the text. Of a zombie both are empty. */
export function processesWith(where: 'cmdline' | 'environ', text: string): readonly number[] {
  return entries('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && contentOf(pid, where).includes(text));
}

/** Names in a folder; none where it cannot be read. */
export function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function contentOf(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}

/** How a test or the kill campaign starts `daemon.ts`. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DaemonProcess } from '../harness/daemon-process.ts';

const program = fileURLToPath(new URL('daemon.ts', import.meta.url));

interface KilledDaemon {
  /** The data folder is in it. */
  readonly folder: string;
  readonly agentLog: string;
  /** Default: any free one. */
  readonly port?: number;
  readonly fault?: { readonly point: string; readonly count: number };
}

/** Null: its fault point killed it before it was ready. */
export const startKilledDaemon = ({ folder, agentLog, port = 0, fault }: KilledDaemon): Promise<DaemonProcess | null> =>
  DaemonProcess.start({
    program,
    folder: join(folder, 'data'),
    args: [agentLog, String(port), fault?.point ?? 'none', String(fault?.count ?? 0)],
  });

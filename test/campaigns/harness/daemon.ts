/** Inside a daemon's process: the real daemon with the scripted agent, as the programs of the campaigns start it. */
import { startDaemon, type Daemon } from '../../../src/daemon/daemon.ts';
import { resolveConfig } from '../../../src/daemon/config/resolve.ts';
import type { Faults } from '../../../src/store/faults.ts';

interface ScriptedDaemon {
  readonly folder: string;
  /** 0: any free one. */
  readonly port?: number;
  /** Arguments and environment of the scripted agent. */
  readonly args: readonly string[];
  readonly env?: Readonly<{ [name: string]: string }>;
  readonly limits: Readonly<{ [name: string]: number }>;
  readonly durability?: 'power' | 'process';
  /** Working folders, as `workspaces` of the configuration. */
  readonly workspaces?: readonly { readonly session: string; readonly folder: string }[];
  /** How long a close waits for turns that it has interrupted; 0: not at all. */
  readonly graceMs?: number;
  readonly faults?: Faults;
}

/** Starts it, tells the parent process its URL, and ends at SIGTERM. */
export async function runScriptedDaemon({
  folder,
  port = 0,
  args,
  env = {},
  limits,
  durability = 'power',
  workspaces = [],
  graceMs = 0,
  faults,
}: ScriptedDaemon): Promise<Daemon> {
  const setting = (path: readonly string[], value: unknown) => ({ path, value, written: path.join('.') });
  const config = await resolveConfig({
    file: null,
    environment: {},
    flags: [
      setting(['listen', 'port'], port),
      setting(['agent'], { name: 'scripted', args, env }),
      setting(['logLevel'], 'silent'),
      setting(['durability'], durability),
      setting(['workspaces'], workspaces),
      ...Object.entries(limits).map(([name, value]) => setting(['limits', name], value)),
    ],
  });
  const daemon = await startDaemon({
    folder,
    config,
    version: '0.0.0-campaign',
    now: Date.now,
    ...(faults === undefined ? {} : { faults }),
  });
  process.once('SIGTERM', () => {
    void daemon.close({ graceMs }).then(() => process.exit(0));
  });
  process.send?.({ url: daemon.url });
  return daemon;
}

/** The real daemon, on a free port, with settings as a configuration would have them. */
import { resolveConfig } from '../../src/daemon/config/resolve.ts';
import { startDaemon } from '../../src/daemon/daemon.ts';
import { options, serve } from './serve.ts';

interface DaemonSettings {
  readonly folder: string;
  /** Path of a key, such as `limits.maxOpen`, to its value. */
  readonly settings: { readonly [path: string]: unknown };
  /** How long running turns may take to end at the end. */
  readonly graceMs?: number;
}

const { folder, settings, graceMs = 0 } = options<DaemonSettings>();
const all = { 'listen.port': 0, logLevel: 'silent', ...settings };
const config = await resolveConfig({
  file: null,
  environment: {},
  flags: Object.entries(all).map(([written, value]) => ({ path: written.split('.'), written, value })),
});
const daemon = await startDaemon({ folder, config, version: '0.0.0-bench', now: Date.now });
serve(
  { url: daemon.url },
  () => ({}),
  () => daemon.close({ graceMs }),
);

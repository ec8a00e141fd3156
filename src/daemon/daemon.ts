/**
 * The composition root: one daemon from its configuration. Everything is constructed here, handed to each other here, and
 * ended here, in the opposite order.
 *
 *  R-1 Nothing is left behind by a start that fails: what was opened is closed before the error leaves.
 *  R-2 `daemon.json` is there only while requests are answered: written when the daemon is ready, removed first of all.
 */
import { join } from 'node:path';
import { AppError } from '../core/errors.ts';
import { FOLDER } from '../protocol/folder.ts';
import type { DaemonFile } from '../protocol/folder.ts';
import type { HookHandler } from '../protocol/hooks.ts';
import type { Signalbox } from '../runtime/api.ts';
import { createSignalbox } from '../runtime/signalbox.ts';
import { Workspaces } from '../runtime/workspaces.ts';
import { createServer } from '../server/server.ts';
import { writeDaemonFile } from '../server/daemon-file.ts';
import { loadToken } from '../server/token.ts';
import { type Faults, noFaults } from '../store/faults.ts';
import type { Store } from '../store/port.ts';
import { openSqliteStore } from '../store/sqlite/open.ts';
import { makeRedactor } from '../supervise/redact.ts';
import { chooseAgent } from './agent.ts';
import type { DaemonConfig } from './config/resolve.ts';
import { openFolder } from './folder.ts';
import { hangSource, watchSessions } from './hangs.ts';
import { makeLog } from './log.ts';
import type { Watchdog } from './watch.ts';
import { secretsOf } from './secrets.ts';
import { watchSettings } from './watch.ts';

export interface DaemonOptions {
  /** Data folder, absolute. */
  readonly folder: string;
  readonly config: DaemonConfig;
  readonly version: string;
  /** Wall clock, for `daemon.json`. */
  readonly now: () => number;
  /** Where the kill tests strike; nothing in production. */
  readonly faults?: Faults;
  /** The process that takes signals for this daemon, which others are told. Default: this one. */
  readonly pid?: number;
  /** Without one a blocked main loop is not reported. */
  readonly watch?: Watchdog;
}

export interface Daemon {
  readonly url: string;
  readonly folder: string;
  readonly agent: { readonly name: string; readonly standIn: boolean };
  readonly hooks: readonly string[];
  readonly signalbox: Signalbox;
  /** Ends what runs within `graceMs` (default: the configured one), then all agents, then the store. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
  /** Kills every agent's process group now, without waiting for anything. The caller exits. */
  abandon(): void;
}

/** Requests are answered in milliseconds; what is still open after this is a caller that keeps its connection. */
const requestGraceMs = 1_000;

/** What the store knows to run: each is the leader of its own group. SQLite answers at once; another store could not here. */
function killAll(store: Store): void {
  const rows = store.processes();
  for (const { pid } of rows instanceof Promise ? [] : rows) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}

/** Loaded only where something is configured: signature libraries are not needed by a daemon without hooks. */
async function hooksOf(box: Signalbox, config: DaemonConfig): Promise<readonly HookHandler[]> {
  const { github, hooks } = config;
  const handlers: HookHandler[] = [];
  if (github !== null) {
    const { githubHook } = await import('../gateways/github/hook.ts');
    handlers.push(githubHook({ box, config: github }));
  }
  if (Object.keys(hooks).length > 0) {
    const { standardHooks } = await import('../gateways/hooks/hook.ts');
    handlers.push(...standardHooks({ box, config: hooks }));
  }
  return handlers;
}

/** Keys that mean the session of another key; a chain of aliases is followed, a ring of them refused. */
export function aliasResolver(aliases: DaemonConfig['aliases']): (key: string) => string {
  const resolve = (key: string, seen: readonly string[]): string => {
    const next = Object.hasOwn(aliases, key) ? aliases[key] : undefined;
    if (next === undefined) return key;
    if (seen.includes(next)) {
      throw new AppError({
        code: 'bad_config',
        message: `aliases: ${[...seen, next].join(' → ')} goes round in a ring`,
        hint: 'Let each of them end at a key that is no alias.',
      });
    }
    return resolve(next, [...seen, next]);
  };
  const known = new Map(Object.keys(aliases).map((key) => [key, resolve(key, [key])]));
  return (key) => known.get(key) ?? key;
}

/** Throws `AppError`: `store_*`, `token_*`, `address_in_use`, `listen_failed`, `bad_config`. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { folder, config, version, faults = noFaults, pid = process.pid, watch } = options;
  await using opened = new AsyncDisposableStack();
  openFolder(folder);
  const resolveSession = aliasResolver(config.aliases);
  const agent = await chooseAgent(config.agent, { folder, startMs: config.limits.startMs });
  // The lock of the store comes first: of two daemons on one folder the second touches nothing.
  const store = openSqliteStore({ path: join(folder, FOLDER.database), durability: config.durability, faults, pid });
  const held = opened.adopt(store, (one) => one.close());
  const token = await loadToken(folder);
  const secrets = secretsOf(config, token, process.env);
  const redact = makeRedactor(secrets);
  const log = makeLog(config.logLevel, redact);
  if (watch !== undefined) watch.settings = watchSettings(config, secrets);
  const onError = (error: unknown, where: string): void => {
    log.error({ err: error, where }, 'not handled where it happened');
  };
  const signalbox = createSignalbox({
    store: held,
    agent: agent.driver,
    limits: config.limits,
    permissions: config.permissions,
    workspaces: new Workspaces({ root: join(folder, FOLDER.workspaces), rules: config.workspaces }),
    redact,
    resolveSession,
    faults,
    onError,
  });
  if (watch !== undefined) opened.defer(watchSessions({ signalbox, watch, limits: config.limits, onError }));
  let graceMs = 0;
  opened.defer(() => signalbox.close({ graceMs }));
  const hooks = await hooksOf(signalbox, config);
  const { maxBodyBytes, maxConnections, maxStreams } = config.limits;
  const server = createServer({
    signalbox,
    tokens: [token],
    listen: {
      host: config.listen.host,
      port: config.listen.port,
      ...(config.listen.hosts === undefined ? {} : { hosts: config.listen.hosts }),
    },
    limits: { maxBodyBytes, maxConnections, maxStreams },
    hooks,
    hangs: hangSource(folder, watch),
    version,
    logger: log,
  });
  opened.defer(() => server.close({ graceMs: requestGraceMs }));
  const { url } = await server.listen();
  await signalbox.ready;
  const file: DaemonFile = { url, pid, version, startedAt: options.now() };
  opened.defer(await writeDaemonFile(folder, file));
  log.info({ url, folder, agent: agent.driver.name }, 'ready');
  const running = opened.move();
  const logging = log.open();
  return {
    url,
    folder,
    agent: { name: agent.driver.name, standIn: agent.standIn },
    hooks: hooks.map(({ path }) => path),
    signalbox,
    async close(how = {}) {
      graceMs = how.graceMs ?? config.limits.graceMs;
      await logging;
      await running.disposeAsync();
      log.info({}, 'closed');
    },
    abandon: () => killAll(store),
  };
}

/**
 * The composition root: one daemon from its configuration. Everything is constructed here, handed to each other here, and
 * ended here, in the opposite order.
 *
 *  daemon/1 Nothing is left behind by a start that fails: what was opened is closed before the error leaves, and the error
 *           is that of the start, whatever fails while it is taken back.
 *  daemon/2 `daemon.json` is there only while requests are answered: written when the daemon is ready, removed first of
 *           all.
 *  daemon/3 A part that does not end, or fails to, keeps no other one from its end; it is named in the log.
 */
import { join } from 'node:path';
import { AppError } from '../core/errors.ts';
import { loadSources } from '../gateways/registry.ts';
import { dataFiles } from '../protocol/folder.ts';
import type { DaemonFile } from '../protocol/folder.ts';
import type { HookHandler } from '../protocol/hooks.ts';
import type { Signalbox } from '../runtime/api.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Outgoing } from '../runtime/outbox/outgoing.ts';
import { createSignalbox } from '../runtime/signalbox.ts';
import { Workspaces } from '../runtime/workspace/workspaces.ts';
import type { Logger, ServerOptions } from '../server/options.ts';
import { createServer } from '../server/server.ts';
import { writeDaemonFile } from '../server/daemon-file.ts';
import { loadToken } from '../server/token.ts';
import { newToken } from '../server/tokens.ts';
import { type Faults, noFaults } from '../store/faults.ts';
import { daemonIdName } from '../supervise/process/environment.ts';
import { killDaemonProcessesNow } from '../supervise/process/leftovers.ts';
import { makeRedactor, type Redactor } from '../supervise/redact.ts';
import { Scope } from '../supervise/scope.ts';
import { type Widening, describeWidening } from '../agents/shared/widening.ts';
import { platformLacks } from '../supervise/platform/lacks.ts';
import { LogFile } from './log-file.ts';
import { ruleFinder } from './config/session-rules.ts';
import { type ChosenAgent, chooseAgents, loginOf } from './agent.ts';
import type { DaemonConfig } from './config/resolve.ts';
import { openFolder } from './data-folder.ts';
import { hangSource, watchSessions } from './hangs.ts';
import type { DaemonLog } from './log.ts';
import { connectionsThatFit } from './open-files.ts';
import { makeLog } from './log.ts';
import { StorageWatch, type StorageWatchParts } from './storage-watch.ts';
import type { Watchdog } from '../supervise/watchdog/watchdog.ts';
import { configuredRunners } from './runners.ts';
import type { SandboxState } from './sandbox.ts';
import { secretsOf } from './secrets.ts';
import { guardOf, nodeOptions } from './node.ts';
import { outgoingOf } from './outgoing.ts';
import { openStore } from './store.ts';
import { watchSettings } from './watchdog.ts';

interface DaemonOptions {
  /** Data folder, absolute. */
  readonly folder: string;
  readonly config: DaemonConfig;
  readonly version: string;
  /** Wall clock, for `daemon.json`. */
  readonly now: () => number;
  /** Where the kill tests kill the daemon; nothing in production. */
  readonly faults?: Faults;
  /** The process that takes signals for this daemon, which others are told. Default: this one. */
  readonly pid?: number;
  /** Aborted: the daemon is to end before it has begun. Rejects with `closing` then, if it waits for its store. */
  readonly ending?: AbortSignal;
  /** Without one a blocked main loop is not reported. */
  readonly watch?: Watchdog;
}

export interface Daemon {
  readonly url: string;
  readonly folder: string;
  /** Where its store is, without a password. */
  readonly store: string;
  readonly agent: { readonly name: string; readonly standIn: boolean; readonly sandbox: SandboxState };
  /** Names of the code runners. */
  readonly runners: readonly string[];
  readonly hooks: readonly { readonly path: string; readonly note: string | null }[];
  readonly signalbox: Signalbox;
  /** Ends what runs within `graceMs` (default: the configured one), then all agents, then the store. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
  /** Kills every agent now, and what carries this daemon's cookie, without waiting for anything. The caller exits. */
  abandon(): void;
}

/** Requests are answered in milliseconds; what is still open after this is a caller that keeps its connection. */
const requestGraceMs = 1_000;
/** A part that has not ended by then is stuck: its own deadlines are shorter. The sessions have their grace on top. */
const partDeadlineMs = 30_000;
/** When another machine takes the folders of a silent daemon: times of its lease, and at least so long. */
const quietTtls = 2;
const quietMinMs = 60_000;

/** Kills the agents that the runtime lists, without a scan of all processes: each leads its own process group. */
function killAll(signalbox: Signalbox): void {
  for (const { pid } of signalbox.processes()) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}

/** Keys that mean the session of another key; a chain of aliases is followed, a ring of them refused. */
export function aliasResolver(aliases: DaemonConfig['aliases']): (key: string) => string {
  const resolve = (key: string, seen: readonly string[]): string => {
    const next = Object.hasOwn(aliases, key) ? aliases[key] : undefined;
    if (next === undefined) {
      return key;
    }
    if (seen.includes(next)) {
      throw new AppError({
        code: 'bad_config',
        message: `aliases: ${[...seen, next].join(' → ')} is a cycle`,
        hint: 'Let each of them end at a key that is not an alias.',
      });
    }
    return resolve(next, [...seen, next]);
  };
  const known = new Map(Object.keys(aliases).map((key) => [key, resolve(key, [key])]));
  return (key) => known.get(key) ?? key;
}

/** Throws `AppError`: `store_*`, `token_*`, `address_in_use`, `listen_failed`, `bad_config`. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const scope = new Scope('the daemon');
  try {
    return await openDaemon(scope, options);
  } catch (error) {
    await scope.close();
    throw error;
  }
}

/** What the configuration says of all sessions. */
const sessionSettings = ({ limits, permissions, expiresIn, conversation }: DaemonConfig) => ({
  limits,
  permissions,
  expiresIn,
  conversation,
});

/** Its secrets are in no line of it, and in no report of the watch. */
function logOf(
  { config, watch, folder }: DaemonOptions,
  token: string,
): { readonly redact: Redactor; readonly log: DaemonLog } {
  const secrets = secretsOf(config, token, process.env);
  const redact = makeRedactor(secrets);
  if (watch !== undefined) {
    watch.settings = watchSettings(config, secrets);
  }
  return { redact, log: makeLog(config.logLevel, redact, new LogFile(folder)) };
}

/** Agents are told the address, so none starts before it is known. */
function addressToCome() {
  const { promise: known, resolve, reject } = Promise.withResolvers<void>();
  let url: string | null = null;
  return {
    known,
    get url() {
      return url;
    },
    is(found: string): void {
      url = found;
      resolve();
    },
    /** Of no effect once it is known. */
    giveUp: () => reject(new AppError({ code: 'closing', message: 'the daemon closes before it listens' })),
  };
}

/** A part that is opened later is closed earlier: it is in an inner scope. */
async function openDaemon(scope: Scope, options: DaemonOptions): Promise<Daemon> {
  const { folder, config, version, faults = noFaults, pid = process.pid, watch } = options;
  const guard = guardOf(watch);
  openFolder(folder);
  const resolveSession = aliasResolver(config.aliases);
  const runners = await configuredRunners(config);
  const agents = await chooseAgents(config, { folder, startMs: config.limits.startMs });
  // The lock of the store comes first: of two daemons on one folder the second touches nothing.
  const { store, name, close } = await openStore({ folder, config, ending: options.ending, faults, pid });
  scope.own('the store', close, partDeadlineMs);
  const token = await loadToken(folder);
  const { redact, log } = logOf(options, token);
  warnOf(agents.chosen, log);
  const storage = await watchStorage(scope, { store, log, clock: systemClock });
  const onError = errorsTo(storage.log);
  const address = addressToCome();
  const signalbox = createSignalbox({
    agentApi: { url: () => address.url, token: newToken },
    begin: address.known,
    store,
    node: nodeOptions({ config, folder, pid, version, address: () => address.url, guard }, storage.log),
    agent: agents.fleet,
    runners,
    ...sessionSettings(config),
    workspaces: workspacesOf(options, onError),
    redact,
    resolveSession,
    faults,
    onError,
  });
  watchBlocks(scope, options, { signalbox, onError });
  const outgoing = await outgoingOf(options, { signalbox, onError });
  let graceMs = 0;
  const inner = scope.nest('sessions');
  const closeMs = (): number => graceMs + partDeadlineMs;
  inner.own('all of them', () => signalbox.close({ graceMs }), closeMs);
  inner.nest('address').own('the wait for it', () => address.giveUp(), partDeadlineMs);
  const hooks = await loadSources(signalbox, config.sources);
  const server = createServer({
    signalbox,
    tokens: [token],
    ...serverSettings(config, log),
    hooks,
    hangs: hangSource(folder, watch),
    version,
    ...loggedBy(storage, log, outgoing),
  });
  const http = inner.nest('HTTP');
  http.own('the server', () => server.close({ graceMs: requestGraceMs }), partDeadlineMs);
  const { url } = await server.listen();
  address.is(url);
  await begun(inner, signalbox, outgoing);
  const file: DaemonFile = { url, pid, version, startedAt: options.now(), agent: loginFact(config.agent) };
  http.nest('daemon file').own(dataFiles.daemon, await writeDaemonFile(folder, file), partDeadlineMs);
  log.info({ url, folder, store: name, agents: Object.keys(agents.fleet.drivers) }, 'ready');
  const logging = log.open();
  return {
    url,
    folder,
    store: name,
    ...described(agents.chosen[0], hooks),
    runners: Object.keys(runners),
    signalbox,
    async close(how = {}) {
      graceMs = how.graceMs ?? config.limits.graceMs;
      await logging;
      await closeAll(scope, log);
    },
    abandon: () => abandon(signalbox),
  };
}

const loginFact = (agent: DaemonConfig['agent']): NonNullable<DaemonFile['agent']> => ({
  name: agent.name,
  login: loginOf(agent),
});

/** Recovery is done, and messages go out. */
async function begun(scope: Scope, { ready }: Signalbox, outgoing: Outgoing | null): Promise<void> {
  await ready;
  if (outgoing !== null) {
    scope.nest('outbox').own('the sender', () => outgoing.close(), partDeadlineMs);
    await outgoing.start();
  }
}

const chosenFolder = (sessions: DaemonConfig['sessions']): ((session: string) => string | null) => {
  const ruleOf = ruleFinder(sessions);
  return (session) => ruleOf(session)?.folder ?? null;
};

/** A folder is another machine's only when the launcher of a silent daemon has ended its agents. */
const workspacesOf = (
  { folder, config }: DaemonOptions,
  onError: (error: unknown, where: string) => void,
): Workspaces =>
  new Workspaces({
    root: join(folder, dataFiles.workspaces),
    chosen: chosenFolder(config.sessions),
    rules: config.workspaces,
    quietMs: Math.max(quietMinMs, quietTtls * config.node.ttlMs),
    onLost: (error) => onError(error, 'workspace'),
  });

const described = ({ driver, standIn, sandbox }: ChosenAgent, hooks: readonly HookHandler[]) => ({
  agent: { name: driver.name, standIn, sandbox },
  hooks: hooks.map(({ path, note = null }) => ({ path, note })),
});

function watchBlocks(
  scope: Scope,
  { config, watch }: DaemonOptions,
  { signalbox, onError }: { readonly signalbox: Signalbox; readonly onError: (error: unknown, where: string) => void },
): void {
  if (watch !== undefined) {
    scope.own('the watch', watchSessions({ signalbox, watch, limits: config.limits, onError }), partDeadlineMs);
  }
}

const loggedBy = (storage: StorageWatch, log: DaemonLog, outgoing: Outgoing | null) => ({
  ...(outgoing === null ? {} : { outgoing }),
  storage,
  logDropped: log.dropped,
  logger: storage.log,
});

async function watchStorage(scope: Scope, parts: StorageWatchParts): Promise<StorageWatch> {
  const watch = new StorageWatch(parts);
  scope.own('the watch of the store', () => watch.close(), partDeadlineMs);
  await watch.start();
  if (watch.health !== null) {
    const { server, durable } = watch.health;
    parts.log.info({ server }, 'the database answers');
    if (!durable) {
      const effect = 'a crash of its server loses the last moments of what was accepted';
      parts.log.warn({}, `\`synchronous_commit\` or \`fsync\` is off in the database: ${effect}`);
    }
  }
  return watch;
}

const errorsTo =
  (log: Logger) =>
  (error: unknown, where: string): void =>
    log.error({ err: error, where }, 'not handled where it happened');

function warnOf(chosen: readonly ChosenAgent[], log: DaemonLog): void {
  for (const { sandbox, widening } of chosen) {
    warnOfLacks(log, sandbox);
    warnOfWidening(log, widening);
  }
}

function warnOfLacks(log: DaemonLog, sandbox: SandboxState): void {
  for (const { name, reason, effect } of platformLacks()) {
    log.warn({ lack: name }, `${reason} ${effect}`);
  }
  if (sandbox.by === null && sandbox.why !== null) {
    const effect = sandbox.mode === 'required' ? 'No agent starts, and tasks wait.' : 'Agents run without a sandbox.';
    log.warn({ lack: 'sandbox' }, `${sandbox.why}. ${effect}`);
  }
}

function warnOfWidening(log: DaemonLog, found: readonly Widening[]): void {
  for (const one of found) {
    const effect = one.overruled
      ? 'The policy stands over it.'
      : 'No agent starts with it, unless `agent.trustSettings` is set.';
    log.warn(
      { setting: one.setting, file: one.file },
      `The agent's own settings allow more than a policy: ${describeWidening(one)}. ${effect}`,
    );
  }
}

function serverSettings({ listen, limits }: DaemonConfig, log: DaemonLog): Pick<ServerOptions, 'listen' | 'limits'> {
  const { host, port, hosts } = listen;
  const { maxBodyBytes, maxBodiesBytes, maxStreams } = limits;
  const { connections: maxConnections, files } = connectionsThatFit(limits.maxConnections, limits.maxAgents);
  if (files !== null) {
    log.warn(
      { maxConnections },
      `Only ${files} files may be open, so at most ${maxConnections} connections are served. Raise that limit (ulimit -n), or lower \`limits.maxConnections\`.`,
    );
  }
  return {
    listen: { host, port, ...(hosts === undefined ? {} : { hosts }) },
    limits: { maxBodyBytes, maxBodiesBytes, maxConnections, maxStreams },
  };
}

/** Ends every part, then throws what failed first. */
async function closeAll(scope: Scope, log: DaemonLog): Promise<void> {
  const { failures, left } = await scope.close();
  for (const part of left) {
    log.error({ part }, 'has not ended in time');
  }
  for (const { part, error } of failures) {
    log.error({ part, err: error }, 'failed to end');
  }
  log.info({}, 'closed');
  const [first] = failures;
  if (first !== undefined) {
    throw first.error;
  }
}

function abandon(signalbox: Signalbox): void {
  killAll(signalbox);
  const daemonId = process.env[daemonIdName];
  if (daemonId !== undefined) {
    killDaemonProcessesNow(daemonId);
  }
}

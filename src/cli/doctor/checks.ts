/** Everything that `signalbox doctor` looks at, in the order in which it says it. */
import { createClient } from '../../client/index.ts';
import { AppError } from '../../core/errors.ts';
import type { AgentConfig } from '../../protocol/config.ts';
import type { DaemonConfig } from '../../daemon/config/resolve.ts';
import type { Call } from '../call.ts';
import { configFile } from '../config-file.ts';
import { findDataFolder, type DataFolder } from '../data-folder.ts';
import type { Io } from '../io.ts';
import { daemonFile, tokenIn } from '../target.ts';
import { checkSandbox } from './sandbox.ts';
import { checkStore } from './store.ts';
import { checkOpenTasks } from './open-tasks.ts';
import { checkAgents, standIn } from './agents.ts';
import { type Check, missing, note, ok, reasonOf } from './check.ts';
import { checkFolder, checkNode, checkPlatform, checkPort, checkSqlite, checkToken } from './machine.ts';

interface Configured {
  readonly checks: readonly Check[];
  readonly listen: { readonly host: string; readonly port: number };
  readonly agent: AgentConfig | null;
  readonly store: DaemonConfig['store'] | null;
}

/** Loads them as the daemon does. Nothing where none is configured or named. */
async function checkRunners(config: DaemonConfig): Promise<readonly Check[]> {
  const { configuredRunners } = await import('../../daemon/runners.ts');
  try {
    const names = Object.keys(await configuredRunners(config));
    return names.length === 0 ? [] : [ok('runners', names.join(', '))];
  } catch (error) {
    return [missing('runners', reasonOf(error), error instanceof AppError ? error.hint : '')];
  }
}

/** As the daemon loads them. */
async function checkDoors({ doors }: DaemonConfig): Promise<readonly Check[]> {
  const { loadDoors } = await import('../../gateways/doors.ts');
  try {
    const names = (await loadDoors(doors)).map(({ name }) => name);
    return names.length === 0 ? [] : [ok('notify', names.join(', '))];
  } catch (error) {
    return [missing('notify', reasonOf(error), error instanceof AppError ? error.hint : '')];
  }
}

/** Nothing where there is one agent, which has checks of its own. */
function checkFleet({ agents, oneAgent }: DaemonConfig): readonly Check[] {
  const names = Object.entries(agents).map(([name, { name: kind }]) => (name === kind ? name : `${name} (${kind})`));
  return oneAgent ? [] : [ok('agents', names.join(', '))];
}

async function checkConfig(file: string | null, io: Io): Promise<Configured> {
  const { resolveConfig } = await import('../../daemon/config/resolve.ts');
  try {
    const config = await resolveConfig({ file, environment: io.env, flags: [] });
    const check = ok('configuration', file ?? 'no file: every default');
    return {
      checks: [check, ...checkFleet(config), ...(await checkRunners(config)), ...(await checkDoors(config))],
      listen: config.listen,
      agent: config.agent,
      store: config.store,
    };
  } catch (error) {
    const { message, hint = '' } = error as { readonly message: string; readonly hint?: string };
    const check = missing('configuration', message, hint);
    return { checks: [check], listen: { host: '127.0.0.1', port: 7070 }, agent: null, store: null };
  }
}

/** Null: none has said that it runs there. */
async function checkDaemon(data: DataFolder): Promise<Check | null> {
  const file = daemonFile(data.folder);
  if (file === null) {
    return null;
  }
  try {
    const client = createClient({ baseUrl: file.url });
    await client.health();
    const problem = await notReady(client);
    if (problem !== null) {
      return missing('daemon', `answers at ${file.url}, and is not ready: ${problem.message}`, problem.hint);
    }
    return ok('daemon', `answers at ${file.url} (process ${file.pid}, version ${file.version})`);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'unreachable') {
      const what = error instanceof Error ? error.message : String(error);
      return missing('daemon', what, `Look what listens at ${file.url}; the daemon was process ${file.pid}.`);
    }
    return note(
      'daemon',
      `was killed: process ${file.pid} left its daemon.json and does not answer`,
      `signalbox up${data.flag} takes up where it was`,
    );
  }
}

/** Why it accepts nothing now; null: it does. */
async function notReady(client: Pick<ReturnType<typeof createClient>, 'ready'>): Promise<AppError | null> {
  try {
    await client.ready();
    return null;
  } catch (error) {
    if (error instanceof AppError) {
      return error;
    }
    throw error;
  }
}

/** Nothing where it cannot be asked: another check says why. */
async function openTasks({ folder }: DataFolder): Promise<readonly Check[]> {
  const file = daemonFile(folder);
  const token = tokenIn(folder);
  if (file === null || token === null) {
    return [];
  }
  try {
    return [checkOpenTasks(await createClient({ baseUrl: file.url, token }).openTasks())];
  } catch (error) {
    return [note('open tasks', reasonOf(error))];
  }
}

export async function checkAll(call: Call, io: Io): Promise<readonly Check[]> {
  const data = findDataFolder({ data: call.text('data'), config: call.text('config'), env: io.env, cwd: io.cwd });
  const configured = await checkConfig(configFile(call, io), io);
  const [daemon, agents, platform] = await Promise.all([
    checkDaemon(data),
    checkAgents({ env: io.env, cwd: io.cwd, configured: configured.agent }),
    checkPlatform(process.platform),
  ]);
  const { host, port } = configured.listen;
  const answers = daemon?.what.startsWith('answers') === true;
  return [
    checkNode(process.version),
    await checkSqlite(),
    ...platform,
    checkFolder(data.folder),
    checkToken(data.folder),
    ...configured.checks,
    ...(configured.store === null ? [] : [await checkStore(configured.store, io.env)]),
    await checkSandbox(configured.agent, io.env),
    daemon ?? note('daemon', 'not running', `signalbox up${data.flag}`),
    ...(answers ? await openTasks(data) : [await checkPort(host, port)]),
    ok(standIn, 'built in: the stand-in that answers until a real agent is configured'),
    ...agents,
  ];
}

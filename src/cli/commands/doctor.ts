import { AppError, createClient } from '../../client/index.ts';
import type { Call } from '../call.ts';
import { checkAgents } from '../doctor/agents.ts';
import type { Check } from '../doctor/check.ts';
import { missing, note, ok } from '../doctor/check.ts';
import { checkFolder, checkNode, checkPlatform, checkPort, checkSqlite, checkToken } from '../doctor/machine.ts';
import type { Io } from '../io.ts';
import { harmless } from '../output/paint.ts';
import { dataFolder } from '../data-folder.ts';
import type { Place } from '../data-folder.ts';
import { daemonFile } from '../target.ts';
import { configFile } from '../config-file.ts';

const agentPrefix = 'agent ';
const standIn = `${agentPrefix}scripted`;

interface Configured {
  readonly check: Check;
  readonly listen: { readonly host: string; readonly port: number };
}

async function checkConfig(file: string | null, io: Io): Promise<Configured> {
  const { resolveConfig } = await import('../../daemon/config/resolve.ts');
  try {
    const { listen } = await resolveConfig({ file, environment: io.env, flags: [] });
    return { check: ok('configuration', file ?? 'no file: every default'), listen };
  } catch (error) {
    const { message, hint = '' } = error as { readonly message: string; readonly hint?: string };
    return { check: missing('configuration', message, hint), listen: { host: '127.0.0.1', port: 7070 } };
  }
}

/** Null: none has said that it runs there. */
async function checkDaemon(place: Place): Promise<Check | null> {
  const file = daemonFile(place.folder);
  if (file === null) {
    return null;
  }
  try {
    await createClient({ baseUrl: file.url }).health();
    return ok('daemon', `answers at ${file.url} (process ${file.pid}, version ${file.version})`);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'unreachable') {
      const what = error instanceof Error ? error.message : String(error);
      return missing('daemon', what, `Look what listens at ${file.url}; the daemon was process ${file.pid}.`);
    }
    return note(
      'daemon',
      `was killed: process ${file.pid} left its daemon.json and does not answer`,
      `signalbox up${place.flag} takes up where it was`,
    );
  }
}

async function checkAll(call: Call, io: Io): Promise<readonly Check[]> {
  const place = dataFolder({ data: call.text('data'), config: call.text('config'), env: io.env, cwd: io.cwd });
  const [configured, daemon, agents, platform] = await Promise.all([
    checkConfig(configFile(call, io), io),
    checkDaemon(place),
    checkAgents({ env: io.env, cwd: io.cwd }),
    checkPlatform(process.platform),
  ]);
  const { host, port } = configured.listen;
  const answers = daemon?.state === 'ok';
  return [
    checkNode(process.version),
    await checkSqlite(),
    ...platform,
    checkFolder(place.folder),
    checkToken(place.folder),
    configured.check,
    daemon ?? note('daemon', 'not running', `signalbox up${place.flag}`),
    ...(answers ? [] : [await checkPort(host, port)]),
    ok(standIn, 'built in: the stand-in that answers until a real agent is configured'),
    ...agents,
  ];
}

export async function run(call: Call, io: Io): Promise<number> {
  if (call.on('live')) {
    const { live } = await import('../doctor/live.ts');
    return live(call, io);
  }
  const checks = await checkAll(call, io);
  const lacking = checks.filter(({ state }) => state === 'missing').length;
  if (io.json) {
    io.document({ ok: lacking === 0, checks });
    return lacking === 0 ? 0 : 1;
  }
  const { paint } = io;
  const signs = { ok: paint.good('✓'), note: paint.faint('·'), missing: paint.bad('✗') } as const;
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const { name, state, what, fix } of checks) {
    io.print(`${signs[state]} ${name.padEnd(width)}  ${harmless(what)}`);
    if (fix !== undefined && fix !== '') {
      io.print(`  ${' '.repeat(width)}  ${paint.faint('→')} ${harmless(fix)}`);
    }
  }
  io.print('');
  const usable = checks.find(({ name, state }) => state === 'ok' && name.startsWith(agentPrefix) && name !== standIn);
  const next = usable === undefined ? '' : ` Next: signalbox up --agent ${usable.name.slice(agentPrefix.length)}`;
  io.print(
    lacking === 0
      ? `Nothing that is needed is missing.${next}`
      : paint.bad(`${lacking} of what is needed ${lacking === 1 ? 'is' : 'are'} missing.`),
  );
  return lacking === 0 ? 0 : 1;
}

/** The daemon in the foreground, under its launcher: starts it, says where it answers, and closes it after a signal. */
import { fstatSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import { dataFiles } from '../../protocol/folder.ts';
import type { DaemonConfig } from '../../daemon/config/resolve.ts';
import type { Daemon } from '../../daemon/daemon.ts';
import type { Watchdog } from '../../supervise/watchdog/watchdog.ts';
import type { Call } from '../call.ts';
import type { Io } from '../io.ts';
import type { DataFolder } from '../data-folder.ts';
import { findDataFolder } from '../data-folder.ts';
import { configFile, flagsOf, namedConfig } from '../config-file.ts';
import { version } from '../version.ts';

/** Whether descriptor 3 is the control socket of a launcher. */
export function isLaunched(): boolean {
  try {
    const control = fstatSync(3);
    return control.isSocket() || control.isFIFO();
  } catch {
    return false;
  }
}

let watchdog: Watchdog | null = null;

/** The end of the process. The launcher gets a message first: a thread in native code can keep the process for ever. */
export function leave(code: number): void {
  watchdog?.tell({ type: 'bye', code });
  process.exit(code);
}

/** How this program is called from where it was called. */
const selfOf = (io: Io): string => (io.env['npm_execpath'] === undefined ? 'signalbox' : 'npx signalbox');

/** A program that does not say its version by then is announced without it: `doctor` has more time. */
const agentDeadlineMs = 2_000;

interface Started {
  readonly daemon: Daemon;
  readonly config: DaemonConfig;
  readonly file: string | null;
  readonly data: DataFolder;
}

/** What `doctor` knows of the agent: its version, its file, its login. */
async function agentLines({ daemon: { agent }, config }: Started, { paint, env, cwd }: Io): Promise<readonly string[]> {
  const name = `  agent   ${paint.strong(agent.name)}`;
  if (agent.standIn) {
    return [
      `${name}, the stand-in until a real agent is configured`,
      '          → signalbox doctor shows which agents this machine has',
    ];
  }
  const { checkOneAgent } = await import('../doctor/agents.ts');
  const configured = config.agent;
  const check =
    configured.command === undefined
      ? await checkOneAgent(agent.name, {
          env: { ...env, ...configured.env },
          cwd,
          deadlineMs: agentDeadlineMs,
          configured,
        })
      : null;
  if (check === null) {
    return [name];
  }
  const colour = check.state === 'ok' ? (text: string): string => text : paint.warn;
  return [`${name}: ${colour(check.what)}`, ...(check.fix === undefined ? [] : [`          → ${colour(check.fix)}`])];
}

async function announce(started: Started, io: Io): Promise<void> {
  const { daemon, file: config, data } = started;
  const { url, folder, store, agent, runners, hooks } = daemon;
  if (io.json) {
    // `pid`: who takes signals.
    const pids = { pid: process.ppid, daemon: process.pid };
    const paths = hooks.map(({ path }) => path);
    io.document({
      type: 'ready',
      url,
      folder,
      store,
      ...pids,
      version: version(),
      agent,
      runners,
      hooks: paths,
      config,
    });
    return;
  }
  const { paint } = io;
  const lines = [
    `Signalbox ${version()} answers at ${paint.strong(url)}`,
    ...(await agentLines(started, io)),
    ...sandboxLines(daemon),
    `  data    ${folder}`,
    ...(agent.standIn ? [] : [`  folders ${join(folder, dataFiles.workspaces)}/…, one for each session`]),
    ...(store.startsWith('postgres:') ? [`  store   ${store}`] : []),
    `  config  ${config ?? 'none: every default (docs/configuration.md)'}`,
    ...(runners.length === 0 ? [] : [`  runners ${runners.join(', ')}`]),
    ...hooks.map(({ path, note }) => `  hook    POST ${url}${path}${note === null ? '' : paint.faint(` (${note})`)}`),
    `  send    ${paint.strong(`${selfOf(io)} send${data.flag} hello "Say hello"`)}`,
    paint.faint('Ctrl-C ends it.'),
  ];
  io.print(lines.join('\n'));
}

/** The agents of other makers are in a sandbox where there is one, so each line says something that a person may not know. */
function sandboxLines({ agent: { sandbox } }: Daemon): readonly string[] {
  if (sandbox.by !== null) {
    return [`  sandbox ${sandbox.by}: agents see programs, their folder and their login (docs/sandbox.md)`];
  }
  if (sandbox.why === null) {
    return [];
  }
  const effect = sandbox.mode === 'required' ? 'no agent starts' : 'none';
  return [`  sandbox ${effect}: ${sandbox.why}`];
}

/** The launcher's word, or a signal that was meant for all processes of a service. */
function endAsked(): { readonly asked: Promise<string>; readonly ask: (why: string) => void } {
  const { promise: asked, resolve: ask } = Promise.withResolvers<string>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => ask(signal));
  }
  process.on('SIGHUP', () => {
    void import('../../supervise/launcher/terminal.ts').then(({ hasTerminal }) => hasTerminal() && ask('SIGHUP'));
  });
  return { asked, ask };
}

export async function serve(call: Call, io: Io): Promise<number> {
  // A closed terminal must not end the daemon in the middle of its work.
  process.stderr.on('error', () => {});
  const { asked, ask } = endAsked();
  const data = findDataFolder({ data: call.text('data'), config: namedConfig(call, io), env: io.env, cwd: io.cwd });
  const { watchLaunched } = await import('../../daemon/watchdog.ts');
  // Before any code that is not ours is loaded: a configuration can block as well.
  const watch = watchLaunched({ folder: join(data.folder, dataFiles.hangs), version: version(), onEnd: ask });
  watchdog = watch;
  const { startDaemon } = await import('../../daemon/daemon.ts');
  const { warningsOf } = await import('../../daemon/config/environment.ts');
  const { resolveConfig } = await import('../../daemon/config/resolve.ts');
  for (const warning of warningsOf(io.env)) {
    io.say(`signalbox: ${warning}`);
  }
  const file = configFile(call, io);
  const config = await resolveConfig({
    file,
    environment: io.env,
    flags: flagsOf(call),
    logLevel: io.terminal ? 'warn' : 'info',
  });
  const { folder } = data;
  const ending = new AbortController();
  void asked.then(() => ending.abort());
  const own = { folder, config, version: version(), now: Date.now, pid: process.ppid };
  const daemon = await startDaemon({ ...own, watch, ending: ending.signal }).catch((error: unknown) => {
    if (ending.signal.aborted && error instanceof AppError && error.code === 'closing') {
      return null;
    }
    throw error;
  });
  if (daemon === null) {
    return 0;
  }
  const { graceMs } = config.limits;
  watch.tell({ type: 'up', folder, graceMs });
  const announced = announce({ daemon, config, file, data }, io);
  await Promise.race([announced, asked]);
  const why = await asked;
  watch.tell({ type: 'ending' });
  if (!io.json) {
    const { LineOutput } = await import('../../supervise/line-output.ts');
    const out = new LineOutput({ fd: 2, gap: () => '' });
    out.write(
      `${why}: running turns are interrupted, and have ${graceMs / 1000} s to end; once more, and everything ends at once\n`,
    );
  }
  await daemon.close();
  return 0;
}

import { resolve } from 'node:path';
import type { Call } from '../call.ts';
import type { Daemon } from '../../daemon/index.ts';
import type { Setting } from '../../daemon/config/environment.ts';
import type { Io } from '../io.ts';
import type { Place } from '../place.ts';
import { dataFolder, findConfig } from '../place.ts';
import { version } from '../version.ts';

function flagsOf(call: Call): readonly Setting[] {
  const pairs: readonly (readonly [flag: string, path: readonly string[], value: unknown])[] = [
    ['agent', ['agent', 'name'], call.text('agent')],
    ['host', ['listen', 'host'], call.text('host')],
    ['port', ['listen', 'port'], call.integer('port')],
    ['durability', ['durability'], call.text('durability')],
    ['log-level', ['logLevel'], call.text('log-level')],
  ];
  return pairs.flatMap(([flag, path, value]) => (value === null ? [] : [{ written: `--${flag}`, path, value }]));
}

/** `--config`, SIGNALBOX_CONFIG, or the nearest file. */
export function configFile(call: Call, io: Io): string | null {
  const named = call.text('config') ?? (io.env['SIGNALBOX_CONFIG'] || null);
  return named === null ? findConfig(io.cwd) : resolve(io.cwd, named);
}

/** How this program is called from where it was called. */
const selfOf = (io: Io): string => (io.env['npm_execpath'] === undefined ? 'signalbox' : 'npx signalbox');

function announce(daemon: Daemon, config: string | null, place: Place, io: Io): void {
  const { url, folder, agent, hooks } = daemon;
  if (io.json) {
    io.document({ type: 'ready', url, folder, pid: process.pid, version: version(), agent, hooks, config });
    return;
  }
  const { paint } = io;
  const standIn = agent.standIn
    ? `, the stand-in: it only answers what it was told, until a real agent is configured`
    : '';
  const lines = [
    `Signalbox ${version()} answers at ${paint.strong(url)}`,
    `  agent   ${paint.strong(agent.name)}${standIn}`,
    `  data    ${folder}`,
    `  config  ${config ?? 'none: every default (docs/configuration.md)'}`,
    ...hooks.map((hook) => `  hook    POST ${url}${hook}`),
    `  send    ${paint.strong(`${selfOf(io)} send${place.flag} hello "Say hello"`)}`,
    paint.faint('Ctrl-C ends it.'),
  ];
  io.print(lines.join('\n'));
}

/** Resolves at the first signal to end, or when the parent that started us with a channel is gone. */
function endAsked(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve(signal));
    if (process.channel !== undefined) process.once('disconnect', () => resolve('the end of its parent'));
  });
}

/**
 * One Ctrl-C comes twice where npm runs us: from the terminal, and passed on by npm. What comes so soon after the first is
 * no second one.
 */
const sameKeyMs = 500;

/** From now on a further signal ends everything at once. */
function endAtOnce(daemon: Daemon): void {
  const first = performance.now();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (performance.now() - first < sameKeyMs) return;
      daemon.abandon();
      process.exit(130);
    });
  }
}

export async function run(call: Call, io: Io): Promise<number> {
  try {
    return await serve(call, io);
  } finally {
    // A channel to a parent would keep the process, also one that could not start.
    if (process.connected) process.disconnect();
  }
}

async function serve(call: Call, io: Io): Promise<number> {
  const asked = endAsked();
  const file = configFile(call, io);
  const named = call.text('config') ?? (io.env['SIGNALBOX_CONFIG'] || null);
  const place = dataFolder({ data: call.text('data'), config: named, env: io.env, cwd: io.cwd });
  const { misspelt, resolveConfig, startDaemon } = await import('../../daemon/index.ts');
  for (const { name, meant } of misspelt(io.env)) io.say(`signalbox: ${name} is not known; did you mean ${meant}?`);
  const config = await resolveConfig({
    file,
    environment: io.env,
    flags: flagsOf(call),
    logLevel: io.terminal ? 'warn' : 'info',
  });
  const daemon = await startDaemon({ folder: place.folder, config, version: version(), now: Date.now });
  announce(daemon, file, place, io);
  const why = await asked;
  endAtOnce(daemon);
  if (!io.json) {
    io.say(
      `${why}: turns that run have ${config.limits.graceMs / 1000} s to end; once more, and everything ends at once`,
    );
  }
  await daemon.close();
  return 0;
}

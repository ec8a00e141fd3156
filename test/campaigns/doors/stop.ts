/** SIGTERM for a daemon with many running turns, or with an agent that does not become ready. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '../../../src/client/index.ts';
import { defaultsOf, runtimeLimits } from '../../../src/protocol/limits.ts';
import { tokenIn } from '../../../src/cli/target.ts';
import { Cli, type Ran } from '../../support/cli.ts';
import { untilEvent } from '../harness/until-event.ts';

/** A program that never says anything, does not obey, and leaves a file beside itself that shows that it has begun. */
export const stubborn = '#!/bin/sh\ntrap "" TERM\necho >> "$0.begun"\nwhile :; do sleep 1; done\n';
export const startingAgents = ['acp', 'claude', 'codex', 'process'] as const;

export interface Stop {
  readonly what: string;
  /** From the signal to the exit. */
  readonly ms: number;
  /** Null: it ended as it should. */
  readonly wrong: string | null;
}

const { graceMs } = defaultsOf(runtimeLimits);
/** Past the grace, for the processes to end on a busy machine. */
const lateMs = 1_000;

/** Null: it came to its own end, and neither it nor its launcher says anything else. */
export function wrongEnd({ code, signal, stderr }: Pick<Ran, 'code' | 'signal' | 'stderr'>): string | null {
  const closed = stderr.match(/"msg":"closed"/g)?.length ?? 0;
  const force = /^.*(?:by force|not ended).*$/m.exec(stderr)?.[0];
  return code === 0 && closed === 1 && force === undefined
    ? null
    : `exit ${String(code ?? signal)}, said closed ${closed} times${force === undefined ? '' : `, said: ${force}`}`;
}

async function stop(what: string, up: Awaited<ReturnType<Cli['up']>>): Promise<Stop> {
  const began = performance.now();
  up.child.kill('SIGTERM');
  const ran = await up.ended;
  const ms = performance.now() - began;
  const late = ms > graceMs + lateMs ? `it took ${Math.round(ms)} ms` : null;
  return { what, ms, wrong: wrongEnd(ran) ?? late };
}

/** Every fifth turn does not read its interrupt. */
export async function stopRunning(turns: number): Promise<Stop> {
  await using cli = new Cli();
  const env = { SIGNALBOX_LIMITS_MAX_AGENTS: String(turns) };
  const up = await cli.up(['--log-level', 'info'], { env });
  const client = createClient({ baseUrl: up.ready.url, token: tokenIn(cli.data) ?? '' });
  await Promise.all(
    Array.from({ length: turns }, async (_, index) => {
      const prompt = `${index % 5 === 4 ? '[[deaf]]' : ''}[[silent:once]][[text:done]]`;
      const { task } = await client.submit({ session: `s${index}`, prompt, lane: 'background' });
      await untilEvent(client, task, 'turn-started');
    }),
  );
  return await stop(`${turns} running turns`, up);
}

export async function stopStarting(name: (typeof startingAgents)[number]): Promise<Stop> {
  await using cli = new Cli();
  const config = join(cli.folder, 'signalbox.config.mjs');
  const command = join(cli.folder, 'agent');
  writeFileSync(command, stubborn, { mode: 0o755 });
  const agent = { name, command, sandbox: 'off' };
  writeFileSync(config, `export default ${JSON.stringify({ agent, limits: { startMs: 600_000 } })}`);
  const up = await cli.up(['--config', config, '--log-level', 'info']);
  const client = createClient({ baseUrl: up.ready.url, token: tokenIn(cli.data) ?? '' });
  await client.submit({ session: 'person', prompt: 'now' });
  await client.submit({ session: 'machine', prompt: 'later', lane: 'background' });
  const begun = (): number => (existsSync(`${command}.begun`) ? readFileSync(`${command}.begun`, 'utf8').length : 0);
  // Some programs serve several sessions.
  while (begun() === 0) {
    await client.health();
  }
  return await stop(`${name}, starting`, up);
}

/**
 * A real `signalbox up` with a real program as its agent, as somebody would run it who has just installed both: nothing is
 * configured but the name of the agent, and where the webhooks' secret is.
 *
 * Owns: the daemon's process, and the stream of its events.
 */
import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '../src/client/index.ts';
import { createClient } from '../src/client/index.ts';
import type { ConfigFile } from '../src/daemon/config/schema.ts';
import { recordedDeliveries } from '../src/gateways/github/recorded/index.ts';
import { signDelivery } from '../src/gateways/github/signature.ts';
import { dataFiles } from '../src/protocol/folder.ts';
import type { ReadFeedEvent } from '../src/protocol/index.ts';
import { folderName } from '../src/runtime/workspace/workspaces.ts';
import { programOf } from './programs.ts';
import type { ProgramSetup } from './program-setup.ts';
import { EventLog } from './model/index.ts';

const bin = fileURLToPath(new URL('../src/cli/bin.ts', import.meta.url));
const secret = 'a secret between GitHub and us';
const readyDeadlineMs = 20_000;
const endDeadlineMs = 20_000;

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Daemon extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly client: Client;
  readonly events: EventLog<ReadFeedEvent>;
  /** Posts a recorded delivery, signed as GitHub signs; gives its task, and when its first byte was written. */
  deliver(index?: 0 | 1 | 2): Promise<{ readonly task: string; readonly sentAt: number }>;
  /** A file in the folder of a session. */
  fileOf(session: string, name: string): string;
  /** Runs the command line on this daemon. */
  cli(...args: readonly string[]): Promise<Ran>;
  /** Ends it as Ctrl-C does; its exit code. */
  end(): Promise<number | null>;
}

/** What the session of the recorded deliveries is called. */
export const deliveredTo = 'github:Codertocat/Hello-World';

const shortEvent = ({ task, type, data }: ReadFeedEvent): string =>
  `${(task ?? 'session').slice(-8)} ${type} ${JSON.stringify(data)?.slice(0, 200) ?? ''}`;

export async function startDaemon(setup: ProgramSetup, config: ConfigFile = {}): Promise<Daemon> {
  const data = join(setup.folder('daemon'), 'data');
  const file = join(setup.folder('config'), 'signalbox.config.mjs');
  writeFileSync(file, `export default ${JSON.stringify(config)};\n`);
  const { program, command, env } = setup;
  const variables = {
    ...env,
    SIGNALBOX_DATA: data,
    SIGNALBOX_GITHUB_SECRET: secret,
    [programOf(program.name)?.variable ?? '']: command,
  };
  const run = (args: readonly string[]): ChildProcess =>
    spawn(process.execPath, [bin, ...args], { env: variables, cwd: setup.home, stdio: ['ignore', 'pipe', 'pipe'] });
  const up = run(['up', '--agent', program.name, '--port', '0', '--config', file, '--json', '--log-level', 'warn']);
  const ended = ran(up);
  let asked = false;
  const { url, pid } = await readyLine(up, ended);
  const token = readFileSync(join(data, 'token'), 'utf8').trim();
  const client = createClient({ baseUrl: url, token });
  const events = new EventLog<ReadFeedEvent>(shortEvent);
  const over = new AbortController();
  const following = follow(client, events, over.signal);
  const end = async (): Promise<number | null> => {
    asked = true;
    over.abort();
    await following;
    up.kill('SIGTERM');
    const force = setTimeout(() => up.kill('SIGKILL'), endDeadlineMs);
    const { code } = await ended;
    clearTimeout(force);
    return code;
  };
  return {
    url,
    pid,
    client,
    events,
    deliver: (index = 0) => deliver(url, index),
    fileOf: (session, name) => join(data, dataFiles.workspaces, folderName(session), name),
    cli: (...args) => ran(run(args)),
    end,
    async [Symbol.asyncDispose]() {
      if (!asked) {
        await end();
      }
    },
  };
}

function ran(child: ChildProcess): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (part: Buffer) => (stdout += part.toString()));
  child.stderr?.on('data', (part: Buffer) => (stderr += part.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

function readyLine(up: ChildProcess, ended: Promise<Ran>): Promise<{ readonly url: string; readonly pid: number }> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      up.kill('SIGKILL');
      reject(new Error(`signalbox up is not ready after ${readyDeadlineMs} ms`));
    }, readyDeadlineMs);
    let text = '';
    up.stdout?.on('data', (part: Buffer) => {
      text += part.toString();
      if (!text.includes('\n')) {
        return;
      }
      clearTimeout(late);
      resolve(JSON.parse(text.slice(0, text.indexOf('\n'))) as { readonly url: string; readonly pid: number });
    });
    ended.then(
      ({ code, stderr }) => {
        clearTimeout(late);
        reject(new Error(`signalbox up ended with ${code}:\n${stderr}`));
      },
      (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))),
    );
  });
}

/** Ends when it is aborted; whatever else ends it is seen by those who wait for an event. */
async function follow(client: Client, events: EventLog<ReadFeedEvent>, signal: AbortSignal): Promise<void> {
  try {
    for await (const event of client.followAll({ signal })) {
      events.add(event);
    }
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
  }
}

async function deliver(url: string, index: 0 | 1 | 2): Promise<{ readonly task: string; readonly sentAt: number }> {
  const { event, payload } = recordedDeliveries[index];
  const { headers, body } = await signDelivery({ event, payload, secret, delivery: randomUUID() });
  const sentAt = Date.now();
  const response = await fetch(new URL('/hooks/github', url), { method: 'POST', headers, body });
  const answer = await response.text();
  const { task } = JSON.parse(answer) as { readonly task?: string };
  if (response.status !== 202 || task === undefined) {
    throw new Error(`delivery: ${response.status} ${answer}`);
  }
  return { task, sentAt };
}

/**
 * Requests of every route and hook against a real daemon: each is answered, in time, with a status that is the caller's, and with a problem document
 * where it is an error; and the daemon lives on, with the memory that it had.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '../../../src/client/index.ts';
import { ProblemSchema, validate } from '../../../src/protocol/index.ts';
import { tokenIn } from '../../../src/cli/target.ts';
import { Cli } from '../../support/cli.ts';
import { requestOf, secrets, type Wanted } from './requests.ts';

interface FuzzPlan {
  /** Of the first request; each further one adds 1. */
  readonly seed: number;
  /** Until then, or until so many are sent. */
  readonly minutes: number;
  readonly requests: number;
  /** Only these. */
  readonly only?: readonly number[];
  readonly tell: (now: { readonly seconds: number; readonly sent: number }) => void;
}

export interface Failure {
  readonly seed: number;
  readonly why: string;
  readonly request: Wanted;
}

export interface FuzzReport {
  readonly sent: number;
  readonly byStatus: Readonly<{ [status: string]: number }>;
  readonly failures: readonly Failure[];
  /** Resident bytes at a tenth of the requests or of the time, and at the end. */
  readonly memory: readonly [before: number, after: number];
}

/** A stream or a long poll is left after this; everything else is late after the other. */
const patience = { streamMs: 300, answerMs: 20_000 } as const;
const failuresMax = 20;
const settings = {
  agent: { name: 'scripted' },
  github: { secret: secrets.github, untrusted: 'read-only' },
  hooks: { alerts: { secret: secrets.hook, session: 'alerts', prompt: '{payload}' } },
};

const waits = ({ headers, path }: Wanted): boolean =>
  headers['accept'] === 'text/event-stream' || /[?&]wait=/.test(path) || path.includes('/hold');

async function answerOf(
  url: string,
  token: string,
  wanted: Wanted,
): Promise<{ readonly status: string; readonly why: string | null }> {
  const isWait = waits(wanted);
  const signal = AbortSignal.timeout(isWait ? patience.streamMs : patience.answerMs);
  try {
    const response = await fetch(url + wanted.path, {
      method: wanted.method,
      headers: { authorization: `Bearer ${token}`, ...wanted.headers },
      ...(wanted.body === null ? {} : { body: wanted.body }),
      signal,
    });
    const text = await response.text();
    return { status: String(response.status), why: response.status < 400 ? null : problemIn(response, text) };
  } catch (error) {
    if (isWait && signal.aborted) {
      return { status: 'left', why: null };
    }
    return { status: 'none', why: error instanceof Error ? `${error.message}: ${String(error.cause)}` : String(error) };
  }
}

function problemIn(response: Response, text: string): string | null {
  if (response.status >= 500) {
    return `${response.status}: ${text.slice(0, 500)}`;
  }
  try {
    const checked = validate(ProblemSchema, JSON.parse(text));
    return checked.ok ? null : `no problem document: ${text.slice(0, 300)}`;
  } catch {
    return `no JSON: ${text.slice(0, 300)}`;
  }
}

export async function fuzzRun(plan: FuzzPlan): Promise<FuzzReport> {
  await using cli = new Cli();
  writeFileSync(join(cli.folder, 'signalbox.config.mjs'), `export default ${JSON.stringify(settings)};\n`);
  const { ready, child } = await cli.up();
  const { url } = ready;
  const token = tokenIn(cli.data) ?? '';
  const client = createClient({ baseUrl: String(url), token });
  const began = performance.now();
  const byStatus: { [status: string]: number } = {};
  const failures: Failure[] = [];
  const seeds = plan.only ?? Array.from({ length: plan.requests }, (_, index) => plan.seed + index);
  let ids: readonly string[] = [];
  let before = 0;
  let sent = 0;
  for (const seed of seeds) {
    if (performance.now() - began > plan.minutes * 60_000 || failures.length >= failuresMax) {
      break;
    }
    if (sent % 200 === 0) {
      ids = (await client.tasks({ limit: 50 })).items.map(({ id }) => id);
      plan.tell({ seconds: (performance.now() - began) / 1_000, sent });
    }
    const request = await requestOf(seed, ids);
    const { status, why } = await answerOf(String(url), token, request);
    byStatus[status] = (byStatus[status] ?? 0) + 1;
    sent += 1;
    if (why !== null) {
      failures.push({ seed, why, request });
    }
    const isTenth = sent * 10 >= seeds.length || (performance.now() - began) * 10 >= plan.minutes * 60_000;
    if (isTenth && before === 0) {
      before = await residentBytes(client);
    }
  }
  const after = await residentBytes(client);
  if (child.exitCode !== null || child.signalCode !== null) {
    throw new Error(`the daemon has ended: ${child.exitCode ?? child.signalCode}`);
  }
  return { sent, byStatus, failures, memory: [before, after] };
}

async function residentBytes(client: ReturnType<typeof createClient>): Promise<number> {
  const line = (await client.metrics()).split('\n').find((one) => one.startsWith('process_resident_memory_bytes '));
  return Number(line?.split(' ')[1] ?? 0);
}

/**
 * Records what an agent program says and hears, as fixtures for its driver's tests.
 *
 * Owns: one process group per recording, ended by `await using` whatever happened in between. Both pipes are tapped line by line; a line
 * is kept as the JSON that it is, else as text. What is saved holds no path, name or secret of the machine: see `scrub`.
 *
 * A transcript is NDJSON. Its first line is the `Heading`, each further line one `Line`, in the order of what happened.
 */
import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Timers } from '../../../src/supervise/timers.ts';
import { realTimers } from '../../../src/supervise/timers.ts';

export type Frame = { readonly [name: string]: unknown };

/** `in`: into the program's stdin; `out` and `err`: what it wrote. `ms`: since the spawn. */
export type Line =
  | { readonly dir: 'in' | 'out'; readonly ms: number; readonly frame: Frame }
  | { readonly dir: 'in' | 'out' | 'err'; readonly ms: number; readonly text: string }
  | { readonly dir: 'end'; readonly ms: number; readonly code: number | null; readonly signal: string | null };

interface Heading {
  readonly program: string;
  readonly version: string;
  /** One sentence: what was done, and what it shows. */
  readonly about: string;
  readonly args: readonly string[];
}

interface Transcript {
  readonly heading: Heading;
  readonly lines: readonly Line[];
}

export interface RecordOptions {
  readonly program: string;
  readonly version: string;
  readonly about: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment; nothing is inherited. Values of variables that are named like secrets are scrubbed. */
  readonly env: Readonly<{ [name: string]: string }>;
  readonly cwd: string;
  /** Further texts that must not be saved, and what stands in their place; applied first, to each line's JSON. */
  readonly scrub?: readonly (readonly [find: string | RegExp, put: string])[];
  /** What is kept of a frame when it is saved; null: nothing. Default: `shorten` with its defaults. */
  readonly trim?: (frame: Frame, dir: 'in' | 'out') => Frame | null;
  /** How long one wait may take. Default 30,000. */
  readonly deadlineMs?: number;
  readonly timers?: Timers;
  /** Told each line as it happens, whole. */
  readonly onLine?: (line: Line) => void;
}

const secretName = /KEY|TOKEN|SECRET|PASSWORD|COOKIE/;
/** A machine's own words that are too common to be replaced everywhere. */
const commonNames = new Set(['root', 'user', 'node', 'runner', 'localhost', 'agent']);

export class Recording implements AsyncDisposable {
  readonly lines: Line[] = [];
  /** Resolves when the process has ended and its pipes are closed. */
  readonly ended: Promise<void>;
  readonly #options: RecordOptions;
  readonly #timers: Timers;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #began = performance.now();
  readonly #waiters = new Set<() => void>();
  #over = false;

  constructor(options: RecordOptions) {
    this.#options = options;
    this.#timers = options.timers ?? realTimers;
    const child = spawn(options.command, [...options.args], {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdin.on('error', () => {});
    this.#tap(child.stdout, 'out');
    this.#tap(child.stderr, 'err');
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        this.#over = true;
        this.#push({ dir: 'end', ms: this.#ms(), code, signal });
        resolve();
      });
    });
    // Reported by whoever waits; a recording that nobody awaits must not end the program.
    this.ended.catch(() => {});
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** A place in the transcript, to wait from. */
  mark(): number {
    return this.lines.length;
  }

  /** Writes the frames as lines, in one write. */
  send(...frames: readonly Frame[]): void {
    for (const frame of frames) {
      this.#push({ dir: 'in', ms: this.#ms(), frame });
    }
    this.#child.stdin.write(frames.map((frame) => `${JSON.stringify(frame)}\n`).join(''));
  }

  /** Writes a line that is no frame. */
  sendText(text: string): void {
    this.#push({ dir: 'in', ms: this.#ms(), text });
    this.#child.stdin.write(`${text}\n`);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The first frame of the program from `from` on that fits, now or later. Rejects at its end, or at the deadline. */
  async until(what: string, fits: (frame: Frame) => boolean, from = 0): Promise<Frame> {
    for (let at = from; ;) {
      for (; at < this.lines.length; at += 1) {
        const line = this.lines[at];
        if (line?.dir === 'out' && 'frame' in line && fits(line.frame)) {
          return line.frame;
        }
      }
      if (this.#over) {
        throw new Error(`the program ended without ${what}:\n${this.#tail()}`);
      }
      await this.#next(what);
    }
  }

  /** The transcript as it is saved. */
  transcript(): string {
    const { program, version, about, args } = this.#options;
    const trim = this.#options.trim ?? ((frame: Frame) => shorten(frame) as Frame);
    const kept = this.lines.flatMap((line): readonly unknown[] => {
      if (!('frame' in line)) {
        return [line];
      }
      const frame = trim(line.frame, line.dir);
      return frame === null ? [] : [{ ...line, frame }];
    });
    const scrub = scrubber(this.#options);
    return [{ program, version, about, args }, ...kept].map((one) => `${scrub(JSON.stringify(one))}\n`).join('');
  }

  save(path: string): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, this.transcript());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over && this.#child.pid !== undefined) {
      try {
        process.kill(-this.#child.pid, 'SIGKILL');
      } catch {
        // Its group is gone already.
      }
    }
    await this.ended.catch(() => {});
  }

  #ms(): number {
    return Math.round(performance.now() - this.#began);
  }

  #push(line: Line): void {
    this.lines.push(line);
    this.#options.onLine?.(line);
    for (const wake of this.#waiters) {
      wake();
    }
  }

  #tap(stream: Readable, dir: 'out' | 'err'): void {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      for (const text of parts) {
        if (text !== '') {
          this.#push(asLine(dir, this.#ms(), text));
        }
      }
    });
    stream.on('end', () => {
      if (rest !== '') {
        this.#push(asLine(dir, this.#ms(), rest));
      }
    });
  }

  #next(what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        cancel();
        this.#waiters.delete(wake);
        resolve();
      };
      const cancel = this.#timers.set(this.#options.deadlineMs ?? 30_000, () => {
        this.#waiters.delete(wake);
        reject(new Error(`no ${what} came:\n${this.#tail()}`));
      });
      this.#waiters.add(wake);
    });
  }

  #tail(): string {
    return this.lines
      .slice(-20)
      .map((line) => JSON.stringify(line).slice(0, 300))
      .join('\n');
  }
}

export function readTranscript(path: string): Transcript {
  const [heading, ...lines] = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  return { heading: heading as Heading, lines: lines as Line[] };
}

/** Cuts long strings and long lists, at any depth; what was cut says so. */
export function shorten(value: unknown, stringMax = 400, listMax = 8): unknown {
  if (typeof value === 'string') {
    return value.length > stringMax ? `${value.slice(0, stringMax)}…` : value;
  }
  if (Array.isArray(value)) {
    return value.slice(0, listMax).map((one) => shorten(one, stringMax, listMax));
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shorten(one, stringMax, listMax)]));
}

function asLine(dir: 'out' | 'err', ms: number, text: string): Line {
  if (dir === 'err') {
    return { dir, ms, text };
  }
  try {
    const frame: unknown = JSON.parse(text);
    if (typeof frame === 'object' && frame !== null && !Array.isArray(frame)) {
      return { dir, ms, frame: frame as Frame };
    }
  } catch {
    // Kept as it is.
  }
  return { dir, ms, text };
}

/** Longer texts first, so that a folder inside another one keeps its own name. */
function scrubber({ env, cwd, command, scrub = [] }: RecordOptions): (text: string) => string {
  const own: [string, string][] = [
    [cwd, '/session'],
    [dirname(command), '/bin'],
    [hostname(), 'host'],
    [userInfo().username, 'user'],
  ];
  for (const [name, value] of Object.entries(env)) {
    if (secretName.test(name)) {
      own.push([value, `<${name}>`]);
    } else if (value.startsWith('/') && name !== 'PATH' && name !== 'SHELL') {
      own.push([value, `/${name.toLowerCase()}`]);
    } else if (/^https?:/.test(value)) {
      own.push([value, 'http://model.invalid']);
    }
  }
  const texts = own
    .filter(([find]) => find.length > 2 && !commonNames.has(find))
    .toSorted(([a], [b]) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const [find, put] of [...scrub, ...texts]) {
      clean = clean.replaceAll(find, put);
    }
    return clean;
  };
}

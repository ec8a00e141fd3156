/**
 * The world of a command: where it prints, reads and stands. Results go to standard output and nothing else does; what
 * is said beside them, and errors, go to standard error.
 */
import type { Paint } from './output/paint.ts';
import { harmlessButColour, harmlessJson } from './output/paint.ts';

export interface Io {
  readonly env: Readonly<{ [name: string]: string | undefined }>;
  readonly cwd: string;
  readonly json: boolean;
  /** Standard output is a terminal. */
  readonly terminal: boolean;
  /** Width of the terminal; 100 where there is none. */
  readonly columns: number;
  readonly paint: Paint;
  /** A line, or several, of output for a person. */
  readonly print: (text: string) => void;
  /** Output as it is; resolves when standard output can take more. */
  readonly write: (text: string) => Promise<void>;
  /** The one JSON document of a command, or one of a stream of them. */
  readonly document: (value: unknown) => void;
  /** Said beside the result, on standard error. */
  readonly say: (text: string) => void;
  /** All of standard input, as UTF-8. */
  readonly input: () => Promise<string>;
}

interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
}

interface IoOptions {
  readonly env: Io['env'];
  readonly cwd: string;
  readonly json: boolean;
  readonly paint: Paint;
}

export function ioOf(streams: () => Streams, options: IoOptions): Io {
  const { stdout } = streams();
  const terminal = stdout.isTTY === true;
  const fit = (text: string): string => (terminal ? harmlessButColour(text) : text);
  const print = (text: string): void => {
    stdout.write(`${fit(text)}\n`);
  };
  return {
    ...options,
    terminal,
    // Some terminals do not know their own width.
    columns: terminal ? Math.max(40, stdout.columns || 80) : 100,
    print,
    write: (text) => new Promise((resolve) => stdout.write(fit(text), () => resolve())),
    // A stream is one document per line; a single document is for reading as well.
    document(value) {
      const json = JSON.stringify(value);
      stdout.write(`${terminal ? harmlessJson(json) : json}\n`);
    },
    say(text) {
      const { stderr } = streams();
      stderr.write(`${stderr.isTTY ? harmlessButColour(text) : text}\n`);
    },
    input: () => readAll(streams().stdin),
  };
}

async function readAll(stdin: NodeJS.ReadStream): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stdin) {
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

/**
 * A reader that goes away (`signalbox tail | head -1`) is not an error: the command ends with the code it has. Any other
 * failed write is reported.
 */
export function endOnBrokenPipe(stdout: NodeJS.WriteStream): void {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') {
      process.exit(process.exitCode ?? 0);
    }
    process.stderr.write(`signalbox: standard output: ${error.message}\n`);
    process.exit(1);
  });
}

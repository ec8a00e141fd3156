/**
 * Stands between a driver and its program, and keeps what passes: `tee.ts ABOUT.json ARGUMENT…`. The driver sees the program,
 * the program sees the driver, and the transcript holds the very messages of both.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Frame, Line, RecordOptions } from './recorder.ts';
import { Recording } from './recorder.ts';

export interface About extends Pick<RecordOptions, 'program' | 'version' | 'about' | 'command' | 'scrub'> {
  readonly out: string;
}

const [file = '', ...args] = process.argv.slice(2);
const { out, ...about } = JSON.parse(readFileSync(file, 'utf8')) as About;
const env = Object.fromEntries(Object.entries(process.env).map(([name, value]) => [name, value ?? '']));

const rec = new Recording({ ...about, args, env, cwd: process.cwd(), onLine: pass });

function pass(line: Line): void {
  if (line.dir === 'out') {
    process.stdout.write(`${'frame' in line ? JSON.stringify(line.frame) : line.text}\n`);
  }
  if (line.dir === 'err') {
    process.stderr.write(`${line.text}\n`);
  }
}

createInterface({ input: process.stdin })
  .on('line', (text) => rec.send(JSON.parse(text) as Frame))
  .on('close', () => rec.endInput());
process.on('SIGTERM', () => rec.signal('SIGTERM'));

await rec.ended;
rec.save(out);
const end = rec.lines.at(-1);
process.exit(end?.dir === 'end' ? (end.code ?? 1) : 1);

/**
 * Plays a transcript to a driver: `replay.ts FILE`. What the driver writes must be what was written when it was recorded, in
 * the same order (names of folders aside); what the program said is said where it was said. Anything else ends it with code 3
 * and the difference on stderr.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
// Types only: it starts some thirty times in one file of tests.
import type { Frame, Line } from '../record/recorder.ts';

const [file = ''] = process.argv.slice(2);
const [, ...written] = readFileSync(file, 'utf8').trimEnd().split('\n');
const lines = written.map((line) => JSON.parse(line) as Line);
let at = 0;

/** Says what comes next, up to what is to be heard next. */
function speak(): void {
  for (; at < lines.length; at += 1) {
    const line = lines[at];
    if (line?.dir === 'in' || line?.dir === 'end') {
      return;
    }
    if (line?.dir === 'out') {
      process.stdout.write(`${'frame' in line ? JSON.stringify(line.frame) : line.text}\n`);
    }
  }
}

function fail(why: string): void {
  process.stderr.write(`${why}\n`);
  process.exit(3);
}

/** The folder of the recording stands in it under another name. */
const comparable = (frame: Frame): unknown =>
  JSON.parse(JSON.stringify(frame), (name, value: unknown) => (name === 'cwd' ? null : value));

function hear(text: string): void {
  const line = lines[at];
  if (line?.dir !== 'in' || !('frame' in line)) {
    fail(`nothing was to be heard at line ${at + 2}, but: ${text}`);
    return;
  }
  const heard = comparable(JSON.parse(text) as Frame);
  if (!isDeepStrictEqual(heard, comparable(line.frame))) {
    fail(`at line ${at + 2} was to be heard:\n${JSON.stringify(line.frame)}\nbut it was:\n${text}`);
  }
  at += 1;
  speak();
}

speak();
createInterface({ input: process.stdin })
  .on('line', hear)
  .on('close', () => {
    const end = lines[at];
    if (end?.dir !== 'end') {
      fail(`the driver left before line ${at + 2}: ${JSON.stringify(end)}`);
    } else {
      process.exit(end.code ?? 1);
    }
  });

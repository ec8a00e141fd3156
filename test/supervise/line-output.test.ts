import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { root } from '../tidy/files.ts';

const lines = 20_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-lines-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Teller {
  readonly child: ChildProcess;
  /** What it writes; not read yet. */
  readonly said: () => Readable;
}

const tell = (stderr: number | 'pipe'): ChildProcess =>
  spawn(process.execPath, [join(root, 'test/supervise/fixtures/teller.ts'), String(lines)], {
    stdio: ['pipe', 'pipe', stderr],
  });

/** Node makes a pair of sockets where a pipe is asked for. */
function toSocket(): Teller {
  const child = tell('pipe');
  const { stderr } = child;
  stderr?.pause();
  return { child, said: () => stderr as Readable };
}

function toPipe(): Teller {
  const path = join(folder, 'pipe');
  spawnSync('mkfifo', [path]);
  const both = openSync(path, 'r+');
  return { child: tell(both), said: () => createReadStream('', { fd: both, end: Number.POSITIVE_INFINITY }) };
}

async function firstOf(stream: Readable | null): Promise<string> {
  for await (const line of createInterface({ input: stream as Readable })) {
    return line;
  }
  throw new Error('it said nothing');
}

describe('lines for a reader that does not read', () => {
  test.each<[string, () => Teller]>([
    ['a socket', toSocket],
    ['a pipe', toPipe],
  ])(
    '%s: keep their writer from nothing, also after another program has had the descriptor, are dropped whole, and are counted',
    async (_, start) => {
      const { child, said } = start();
      const dropped = Number(await firstOf(child.stdout));
      expect(dropped).toBeGreaterThan(lines / 2);
      const read: string[] = [];
      let counted = 0;
      const reading = createInterface({ input: said() });
      reading.on('line', (line) => {
        read.push(line);
        counted += Number(/^dropped (\d+)$/.exec(line)?.[1] ?? 0);
        if (read.length === 1) {
          // Its last words come when there is room.
          child.stdin?.end();
        }
        if (counted > 0) {
          reading.close();
        }
      });
      await once(reading, 'close');
      const whole = read.filter((line) => line.startsWith('line '));
      expect(whole).toEqual(whole.map((_line, n) => `line ${n} ${'x'.repeat(80)}`));
      expect([counted, whole.length]).toEqual([dropped, lines - dropped]);
    },
  );

  test('do not keep the process from its end', async () => {
    const { child } = toSocket();
    await firstOf(child.stdout);
    const exit = once(child, 'exit');
    child.stdin?.end();
    expect(await exit).toEqual([0, null]);
  });
});

test('lines for a file are all written, behind what is there', async () => {
  const path = join(folder, 'log');
  const child = tell(openSync(path, 'a'));
  expect(await firstOf(child.stdout)).toBe('0');
  const exit = once(child, 'exit');
  child.stdin?.end();
  await exit;
  expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(lines + 1);
});

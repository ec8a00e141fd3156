/** What a client without a token can take of a real daemon. */
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFilesMax } from '../campaigns/doors/crowd.ts';
import { Cli, firstLine, type Up } from '../support/cli.ts';

const mebibyte = 1_048_576;
const secret = 'a-secret-of-the-webhook';

/** A daemon with a webhook source. */
async function withHook(cli: Cli): Promise<Up> {
  const config = join(cli.folder, 'hooks.config.mjs');
  writeFileSync(config, `export default ${JSON.stringify({ agent: { name: 'scripted' }, github: { secret } })}`);
  return cli.up(['--config', config]);
}

const portOf = ({ ready }: Up): number => Number(new URL(ready.url).port);

/** KiB of the most memory that the process has had. Null where the system does not say. */
function peakKiB(pid: number): number | null {
  const path = `/proc/${pid}/status`;
  return existsSync(path) ? Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(path, 'utf8'))?.[1]) : null;
}

/** Writes to `/proc/PID/clear_refs`, so that the peak counts from now. */
const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');

interface Post {
  readonly headers?: readonly string[];
  readonly bytes: number;
}

/** Sends it as fast as it is read, and resolves with the status of the answer. */
function post(port: number, { headers = [], bytes }: Post): Promise<number> {
  const piece = Buffer.alloc(mebibyte, 'x');
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let answer = '';
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
      // A sender that has its answer need not send the rest.
      socket.destroy();
    });
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0)));
    const head = ['POST /hooks/github HTTP/1.1', 'host: localhost', `content-length: ${bytes}`, ...headers];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    let left = bytes;
    const more = (): void => {
      while (left > 0 && !socket.destroyed) {
        left -= piece.length;
        if (!socket.write(piece)) {
          socket.once('drain', more);
          return;
        }
      }
    };
    more();
  });
}

/** Opens so many connections at once, and keeps them until the test ends. */
async function crowd(port: number, size: number, first: string): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: size }, () => connect({ port, host: '127.0.0.1' }));
  await Promise.all(
    sockets.map(async (socket) => {
      socket.on('error', () => {});
      await once(socket, 'connect');
      if (first !== '') {
        socket.write(first);
      }
    }),
  );
  return sockets;
}

const formed = [
  `x-hub-signature-256: sha256=${'0'.repeat(64)}`,
  'x-github-event: push',
  'x-github-delivery: d-1',
] as const;

describe('W04: a client without a token', () => {
  const measured = existsSync('/proc/self/clear_refs');

  test.skipIf(!measured)(
    'cannot fill the memory with unsigned bodies (skipped where the system keeps no peak of a process)',
    async () => {
      await using cli = new Cli();
      const up = await withHook(cli);
      await post(portOf(up), { bytes: mebibyte });
      forgetPeak(up.ready.daemon);
      const before = peakKiB(up.ready.daemon) ?? 0;
      const answers = await Promise.all(
        Array.from({ length: 40 }, async () => post(portOf(up), { bytes: 25 * mebibyte })),
      );
      expect(new Set(answers)).toEqual(new Set([401]));
      expect((peakKiB(up.ready.daemon) ?? 0) - before).toBeLessThan(40 * 1024);
    },
  );

  test.skipIf(!measured)(
    'cannot fill the memory with wrongly signed bodies (skipped where the system keeps no peak of a process)',
    async () => {
      await using cli = new Cli();
      const up = await withHook(cli);
      await post(portOf(up), { bytes: mebibyte, headers: formed });
      forgetPeak(up.ready.daemon);
      const before = peakKiB(up.ready.daemon) ?? 0;
      const answers = await Promise.all(
        Array.from({ length: 40 }, async () => post(portOf(up), { bytes: 25 * mebibyte, headers: formed })),
      );
      expect(new Set(answers)).toEqual(new Set([401]));
      expect((peakKiB(up.ready.daemon) ?? 0) - before).toBeLessThan(40 * 1024);
    },
  );

  const crowded = 'cannot lock out the command line with 4,200 silent connections, nor with 4,000 slow bodies';
  const files = openFilesMax();
  test.skipIf(files < 9_000)(`${crowded} (skipped where fewer than 9,000 files may be open)`, async () => {
    await using cli = new Cli();
    const up = await withHook(cli);
    const silent = await crowd(portOf(up), 4200, '');
    expect((await cli.run(['tasks'])).code).toBe(0);
    const open = silent.filter((socket) => socket.readyState === 'open');
    expect(open.length).toBeGreaterThan(4000);
    const head = ['POST /hooks/github HTTP/1.1', 'host: localhost', 'content-length: 1000', ...formed].join('\r\n');
    const slow = await crowd(portOf(up), 4000, `${head}\r\n\r\n{`);
    expect((await cli.run(['tasks'])).code).toBe(0);
    expect(slow.filter((socket) => socket.readyState === 'open').length).toBeGreaterThan(3500);
    for (const socket of [...silent, ...slow]) {
      socket.destroy();
    }
  });
});

test.skipIf(!existsSync('/proc/self/limits'))(
  'W04: connections leave files for agents where few may be open (skipped where the system does not say how many)',
  async () => {
    await using cli = new Cli();
    const up = await cli.up(['--log-level', 'warn'], { openFiles: 600 });
    const sockets = await crowd(portOf(up), 700, '');
    const { code, stdout } = await cli.run(['send', 's', '[[text:served]]', '--wait']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('served')]);
    for (const socket of sockets) {
      socket.destroy();
    }
    up.child.kill('SIGTERM');
    expect((await up.ended).stderr).toContain('Only 600 files may be open');
  },
);

test('W06 a log that is not read keeps the daemon from nothing, and the lines that it costs are counted', async () => {
  await using cli = new Cli();
  const child = cli.spawn(['up', '--json', '--log-level', 'debug', '--port', '0']);
  child.stderr?.pause();
  const exit = once(child, 'exit');
  const { url } = JSON.parse(await firstLine(child)) as Up['ready'];
  const token = readFileSync(join(cli.data, 'token'), 'utf8').trim();
  const dropped = async (): Promise<number> => {
    const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    return Number(/^signalbox_log_lines_dropped_total (\d+)$/m.exec(await answer.text())?.[1]);
  };
  // Each request is a line of about 500 bytes.
  const path = `/${'x'.repeat(300)}`;
  while ((await dropped()) < 100) {
    await Promise.all(Array.from({ length: 100 }, async () => (await fetch(url + path)).text()));
  }
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
});

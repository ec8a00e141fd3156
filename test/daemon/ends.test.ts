/** How a daemon ends, and what is left when it does not even begin. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveConfig } from '../../src/daemon/config/resolve.ts';
import { type Daemon, startDaemon } from '../../src/daemon/daemon.ts';
import { noFaults } from '../../src/store/faults.ts';

class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'signalbox-ends-'));

  async start(port: number, faults = noFaults): Promise<Daemon> {
    const flags = [
      { path: ['listen', 'port'], value: port, written: '--port' },
      { path: ['agent', 'name'], value: 'scripted', written: '--agent' },
      { path: ['logLevel'], value: 'silent', written: '--log-level' },
    ];
    const config = await resolveConfig({ file: null, environment: {}, flags });
    return startDaemon({ folder: this.path, config, version: '0.0.0-test', now: Date.now, faults });
  }

  get running(): boolean {
    return existsSync(join(this.path, 'daemon.json'));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

const portOf = (daemon: Daemon): number => Number(new URL(daemon.url).port);

test('S09: a failed start leaves nothing, and the next one on the same folder finds no lock, no file, no port', async () => {
  using first = new Folder();
  using second = new Folder();
  const one = await first.start(0);
  await expect(second.start(portOf(one))).rejects.toMatchObject({ code: 'address_in_use' });
  expect(second.running).toBe(false);
  const two = await second.start(0);
  expect(second.running).toBe(true);
  await Promise.all([one.close(), two.close()]);
  expect([first.running, second.running]).toEqual([false, false]);
});

test('S09: a second close has no effect, and the folder can be used again', async () => {
  using folder = new Folder();
  const daemon = await folder.start(0);
  await Promise.all([daemon.close(), daemon.close()]);
  const again = await folder.start(portOf(daemon));
  await again.close();
});

test('S09: a part that fails to end keeps no other part from its end, and the failure is reported', async () => {
  using folder = new Folder();
  const daemon = await folder.start(0);
  // The door is ended first; what its callers are served from is in use by it until then.
  daemon.signalbox.close = () => Promise.reject(new Error('a session that will not end'));
  await expect(daemon.close()).rejects.toThrow('a session that will not end');
  expect(folder.running).toBe(false);
  // The store was closed all the same: its lock is free.
  await (await folder.start(portOf(daemon))).close();
});

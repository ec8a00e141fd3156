/** A reader of a real daemon that is killed by SIGKILL while it is read. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ClientOptions, ReadFeedEvent, ReadEvent } from '../../../src/client/index.ts';
import { hastyTimer } from '../../support/door.ts';
import { seeded } from '../../support/random.ts';
import type { DaemonProcess } from '../harness/daemon-process.ts';
import { judgeTape } from '../harness/judge-tape.ts';
import { startKilledDaemon } from './daemon-program.ts';

const kills = 4;

/** Resolves, and calls `then` in the same breath, as soon as so many further events have been read. */
class Progress {
  #left = 0;
  #then: () => void = () => {};

  after(events: number, then: () => void): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#left = events;
    this.#then = () => {
      then();
      resolve();
    };
    return promise;
  }

  read(): void {
    this.#left -= 1;
    if (this.#left === 0) {
      this.#then();
    }
  }
}

test('T05 a reader whose daemon is killed by SIGKILL reads every event once, in order, up to final', async () => {
  const random = seeded(5);
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-reader-'));
  const agentLog = join(folder, 'agents.log');
  const start = async (port: number): Promise<DaemonProcess> => {
    const started = await startKilledDaemon({ folder, agentLog, port });
    if (started === null) {
      throw new Error('nobody has killed it');
    }
    return started;
  };
  let daemon = await start(0);
  try {
    const { task } = await daemon.client.submit({
      session: 'read',
      prompt: '[[forever:1]]',
      lane: 'background',
      maxAttempts: kills + 2,
    });
    const options: Partial<ClientOptions> = { random, timer: hastyTimer };
    const progress = new Progress();
    const read: ReadEvent[] = [];
    let breaks = 0;
    const reading = (async () => {
      for await (const event of daemon.connect(options).follow(task, { onBreak: () => void (breaks += 1) })) {
        read.push(event);
        progress.read();
      }
    })();
    const fed: ReadFeedEvent[] = [];
    const feeding = (async () => {
      for await (const event of daemon.connect(options).followSession('read')) {
        fed.push(event);
        if (event.type === 'final') {
          return;
        }
      }
    })();
    for (let killed = 0; killed < kills; killed += 1) {
      // In the breath in which an event has been read: whatever was shown before it was durable is lost.
      await progress.after(20 + Math.floor(random() * 60), () => daemon.kill('SIGKILL'));
      await daemon.gone();
      daemon = await start(daemon.port);
    }
    await progress.after(20, () => {});
    await daemon.client.cancel(task);
    await Promise.all([reading, feeding]);

    expect(await judgeTape(daemon.client, task)).toEqual([]);
    const tape = (await daemon.client.taskEvents(task, { limit: 500 })).items;
    expect(read.length).toBeGreaterThan(kills * 20);
    expect(read.map(({ seq }) => seq)).toEqual(read.map((_, at) => at + 1));
    expect(read.slice(0, tape.length)).toEqual(tape);
    expect(read.filter(({ type }) => type === 'final')).toEqual([read.at(-1)]);
    expect(breaks).toBeGreaterThanOrEqual(kills);
    const stored: ReadFeedEvent[] = [];
    for await (const event of daemon.client.followSession('read')) {
      stored.push(event);
      if (event.type === 'final') {
        break;
      }
    }
    expect(fed).toEqual(stored);
  } finally {
    daemon.kill('SIGKILL');
    await daemon.gone();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}, 120_000);

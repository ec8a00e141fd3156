/**
 * Clients without a token that hold thousands of connections: silent ones, and ones that send a body slowly. Meanwhile a person uses the command
 * line: before they come, while they come and stay, and then while each that loses its connection opens another one at once.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createClient } from '../../../src/client/index.ts';
import { tokenIn } from '../../../src/cli/target.ts';
import { Cli } from '../../support/cli.ts';
import { type Times, timesOf } from './times.ts';

interface CrowdPlan {
  readonly silent: number;
  readonly slow: number;
  /** How often the command line is called in each of the three. */
  readonly calls: number;
  readonly tell: (text: string) => void;
}

export interface CrowdReport {
  /** Calls of the command line without the crowd. */
  readonly alone: Times;
  readonly crowded: Times;
  /** Connections that the crowd had opened by then. */
  readonly opened: number;
  /** While the crowd returns. */
  readonly flooded: Times;
  readonly openedInFlood: number;
  /** Connections open at the daemon when the last call had ended. */
  readonly open: number;
  readonly wrong: readonly string[];
}

/** How many files a process may have open. Node raises its limit to it. */
export function openFilesMax(): number {
  const path = '/proc/self/limits';
  const most = existsSync(path) ? /^Max open files +\S+ +(\S+)/m.exec(readFileSync(path, 'utf8'))?.[1] : undefined;
  return most === undefined || most === 'unlimited' ? Number.POSITIVE_INFINITY : Number(most);
}

const secret = 'a-secret-of-the-webhook';
const slowHead = [
  'POST /hooks/github HTTP/1.1',
  'host: localhost',
  'content-length: 1000',
  `x-hub-signature-256: sha256=${'0'.repeat(64)}`,
  'x-github-event: push',
  'x-github-delivery: d-1',
].join('\r\n');

class Crowd implements Disposable {
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  #returns = false;
  #left: (() => void)[] = [];
  opened = 0;

  constructor(port: number) {
    this.#port = port;
  }

  /** Resolves when all of them are connected. `first` is what each sends. */
  async join(size: number, first: string): Promise<void> {
    await Promise.all(Array.from({ length: size }, () => new Promise<void>((resolve) => this.#open(first, resolve))));
  }

  #open(first: string, onOpen: () => void): void {
    const socket = connect({ port: this.#port, host: '127.0.0.1' });
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('connect', () => {
      this.opened += 1;
      if (first !== '') {
        socket.write(first);
      }
      onOpen();
    });
    // What the daemon answers is read and means nothing.
    socket.resume();
    socket.on('close', () => {
      this.#sockets.delete(socket);
      onOpen();
      const again = (): void => this.#open(first, onOpen);
      if (this.#returns) {
        again();
      } else {
        this.#left.push(again);
      }
    });
  }

  /** From now on. */
  return(): void {
    this.#returns = true;
    for (const again of this.#left.splice(0)) {
      again();
    }
  }

  [Symbol.dispose](): void {
    this.#returns = false;
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }
}

export async function crowdRun({ silent, slow, calls, tell }: CrowdPlan): Promise<CrowdReport> {
  await using cli = new Cli();
  const config = join(cli.folder, 'hooks.config.mjs');
  writeFileSync(config, `export default ${JSON.stringify({ agent: { name: 'scripted' }, github: { secret } })}`);
  const { ready } = await cli.up(['--config', config]);
  const client = createClient({ baseUrl: ready.url, token: tokenIn(cli.data) ?? '' });
  const wrong: string[] = [];
  const use = async (): Promise<Times> => {
    const durations: number[] = [];
    for (let call = 0; call < calls; call += 1) {
      const began = performance.now();
      const { code, stderr } = await cli.run(['tasks']);
      durations.push(performance.now() - began);
      if (code !== 0) {
        wrong.push(`signalbox tasks: ${code}\n${stderr}`);
      }
    }
    return timesOf(durations);
  };
  const alone = await use();
  tell('the crowd comes');
  using crowd = new Crowd(Number(new URL(ready.url).port));
  const come = (async () => {
    await crowd.join(silent, '');
    await crowd.join(slow, `${slowHead}\r\n\r\n{`);
  })();
  const crowded = await use();
  await come;
  const { opened } = crowd;
  tell('the crowd returns');
  crowd.return();
  const flooded = await use();
  const open = Number(/^signalbox_http_connections (\d+)$/m.exec(await client.metrics())?.[1]);
  return { alone, crowded, opened, flooded, openedInFlood: crowd.opened - opened, open, wrong };
}

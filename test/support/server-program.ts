/** What tests do alike with servers of others: start them as an ordinary user, wait for their word, find a port. */
import type { ChildProcess } from 'node:child_process';
import { chownSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';

/** The user and group id of `nobody`: these servers refuse to run as root. */
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

/** Options of `spawn`. */
export const serverUser = isRoot ? { uid: nobody, gid: nobody } : {};

/** The server may read and change these. */
export function giveTo(...paths: readonly string[]): void {
  for (const path of isRoot ? paths : []) {
    chownSync(path, nobody, nobody);
  }
}

/** Resolves when its log says so; the log is read to the end, so that the pipe never fills. */
export function untilSays(server: ChildProcess, words: string): Promise<void> {
  const { stderr } = server;
  if (stderr === null) {
    return Promise.reject(new Error('the server has no log'));
  }
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    createInterface({ input: stderr }).on('line', (line) => {
      said.push(line);
      if (line.includes(words)) {
        resolve();
      }
    });
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${said.join('\n')}`)));
  });
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, '127.0.0.1', resolve);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => {
    probe.close(resolve);
  });
  return port;
}

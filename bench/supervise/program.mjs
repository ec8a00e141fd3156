// A program to be measured: does what its first argument says.
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const self = fileURLToPath(import.meta.url);
const forever = () => setInterval(() => {}, 1e9);
const spin = () => {
  const end = Date.now() + 30_000;
  while (Date.now() < end) {}
};

const acts = {
  say() {
    process.stdout.write('up\n');
    forever();
  },
  ipc() {
    process.send('up');
    forever();
  },
  'keep-ipc'() {
    const keeper = spawn('sleep', ['60'], {
      stdio: ['ignore', 'ignore', 'ignore', process.channel.fd ?? 3],
      detached: true,
    });
    process.send(keeper.pid);
    forever();
  },
  'write-and-exit'(bytes) {
    process.stdout.write('x'.repeat(Number(bytes)));
    process.exit(0);
  },
  /** Starts a child that spins and is to end with this process; prints its pid when it spins. */
  parent(how) {
    const child =
      how === 'pdeathsig'
        ? spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, self, 'spin'], {
            stdio: ['ignore', 'pipe', 'ignore'],
          })
        : spawn(process.execPath, ['--no-warnings', self, 'watched'], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
    child.stdout.once('data', () => writeSync(1, `${child.pid}\n`));
    forever();
  },
  spin() {
    writeSync(1, 'up\n');
    spin();
  },
  watched() {
    const watch = `
      const { Socket } = require('node:net');
      const { parentPort } = require('node:worker_threads');
      const socket = new Socket({ fd: 3 });
      socket.on('close', () => process.kill(process.pid, 'SIGKILL'));
      socket.on('error', () => {});
      socket.resume();
      parentPort.postMessage('watching');
    `;
    new Worker(watch, { eval: true }).once('message', () => acts.spin());
  },
};

acts[process.argv[2]](...process.argv.slice(3));

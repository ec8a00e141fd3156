/** Figures about children of this Node on this machine: what the supervisor's rules rest on, and what its own steps cost. */
import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { ChildExit, SpawnOptions } from '../../src/supervise/index.ts';
import {
  descendants,
  endDaemonProcesses,
  isAlive,
  pause,
  processEntries,
  processInfo,
  ProcessScanner,
  realTimers,
  spawnAgent,
} from '../../src/supervise/index.ts';
import { killTree } from '../../src/supervise/process/kill-tree.ts';
import { system } from '../../src/supervise/platform/index.ts';

interface Measure {
  readonly what: string;
  /** What was found when the supervisor was designed, with Node 20. */
  readonly before: string;
  readonly measure: (rounds: number) => Promise<string>;
}

const env = { PATH: process.env['PATH'] ?? '' };
const program = fileURLToPath(new URL('./program.mjs', import.meta.url));
const node = (...args: readonly string[]): ChildProcess =>
  spawn(process.execPath, ['--no-warnings', program, ...args], { stdio: ['pipe', 'pipe', 'ignore'] });

const ms = (value: number): string => `${value < 10 ? value.toFixed(value < 1 ? 2 : 1) : Math.round(value)} ms`;

async function median(rounds: number, take: () => Promise<number>): Promise<string> {
  const taken: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    taken.push(await take());
  }
  const sorted = taken.slice(1).sort((one, other) => one - other);
  return `${ms(sorted[Math.floor(sorted.length / 2)] ?? 0)} (${ms(sorted[0] ?? 0)} to ${ms(sorted.at(-1) ?? 0)})`;
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

/** Resolves when nobody lives under this pid. */
async function gone(pid: number): Promise<void> {
  for (let info = processInfo(pid); info !== null && !info.zombie; info = processInfo(pid)) {
    await pause(realTimers, 0);
  }
}

/** A shell that has said `up`, as a group of its own. */
async function shell(script: string): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', script], { env, detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  return child;
}

interface Agent {
  readonly pid: number;
  kill(): Promise<ChildExit>;
  readonly brokenAt: () => number;
}

async function agent(script: string, more: Partial<SpawnOptions> = {}): Promise<Agent> {
  const up = Promise.withResolvers<void>();
  const exited = Promise.withResolvers<ChildExit>();
  let brokenAt = 0;
  const child = spawnAgent({
    command: 'sh',
    args: ['-c', script],
    env,
    onFrame: () => up.resolve(),
    onBroken: () => {
      brokenAt = performance.now();
    },
    onExit: exited.resolve,
    ...more,
  });
  await up.promise;
  child.ready();
  return {
    pid: child.identity?.pid ?? 0,
    brokenAt: () => brokenAt,
    kill: () => {
      child.kill();
      return exited.promise;
    },
  };
}

const rss = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

export const measures: readonly Measure[] = [
  {
    what: 'SIGKILL → `exit`',
    before: '0.7 ms',
    measure: (rounds) =>
      median(rounds, async () => {
        const child = await shell('echo up; exec sleep 60');
        return timed(async () => {
          child.kill('SIGKILL');
          await once(child, 'exit');
        });
      }),
  },
  {
    what: '`exit` → `close`, a grandchild holds stdout for 1.5 s',
    before: 'as long as it lives (4.7 s)',
    measure: async () => {
      const child = await shell('setsid sleep 1.5 & echo up; wait');
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await once(child, 'exit');
      return ms(await timed(() => closed));
    },
  },
  {
    what: '`stdout.destroy()` → the reader is free, though the grandchild holds on',
    before: '5 ms',
    measure: (rounds) =>
      median(rounds, async () => {
        const child = await shell('setsid sleep 5 & echo $!; wait');
        child.kill('SIGKILL');
        await once(child, 'exit');
        const closed = once(child, 'close');
        return timed(async () => {
          child.stdout?.destroy();
          child.stdin?.destroy();
          await closed;
        });
      }),
  },
  {
    what: 'a grandchild inherited the IPC channel: after SIGKILL of its parent',
    before: '`connected` true, `send` succeeds, no `disconnect`',
    measure: async () => {
      const child = fork(program, ['keep-ipc'], {
        execArgv: ['--no-warnings'],
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      });
      const [keeper] = (await once(child, 'message')) as [number];
      let disconnected = false;
      child.once('disconnect', () => (disconnected = true));
      child.kill('SIGKILL');
      await once(child, 'exit');
      await pause(realTimers, 300);
      const sent = child.connected && child.send('anybody?');
      const told = `\`connected\` ${child.connected}, \`send\` ${sent}, \`disconnect\` ${disconnected ? 'came' : 'did not come in 300 ms'}`;
      process.kill(keeper, 'SIGKILL');
      await gone(keeper);
      return told;
    },
  },
  {
    what: '`child.killed` of a child that ignores SIGTERM',
    before: 'true though it lives',
    measure: async () => {
      const child = await shell(`trap '' TERM; echo up; while :; do sleep 60; done`);
      const pid = child.pid ?? 0;
      const startTime = processInfo(pid)?.startTime ?? '';
      child.kill('SIGTERM');
      await pause(realTimers, 100);
      const told = `${child.killed}, it ${isAlive({ pid, startTime }) ? 'lives' : 'is dead'}`;
      process.kill(-pid, 'SIGKILL');
      await once(child, 'exit');
      return told;
    },
  },
  {
    what: 'a command that does not exist',
    before: '`error`, no `exit`',
    measure: async () => {
      const child = spawn('no-such-program', [], { stdio: 'ignore' });
      let exit = false;
      child.once('exit', () => (exit = true));
      await once(child, 'error');
      await pause(realTimers, 100);
      return `\`error\`, ${exit ? '`exit`' : 'no `exit`'}`;
    },
  },
  {
    what: 'settle rule: of 5,000,000 bytes of a grandchild that writes on after `exit`',
    before: '5,000,000 kept',
    measure: async () => {
      let bytes = 0;
      const exited = Promise.withResolvers<ChildExit>();
      const child = spawnAgent({
        command: 'sh',
        args: ['-c', 'setsid sh -c "sleep 0.05; head -c 5000000 /dev/zero" & exit 0'],
        env,
        onFrame: () => {},
        onBytes: (chunk) => (bytes += chunk.length),
        onExit: exited.resolve,
      });
      child.ready();
      const took = await timed(() => exited.promise);
      return `${bytes.toLocaleString('en')} kept; told of after ${ms(took)}`;
    },
  },
  {
    what: '4 MiB to stdout, then `process.exit`: kept of it, pipe and socket',
    before: '64 KB and 256 KB',
    measure: async () => {
      const viaSocket = await bytesOf(node('write-and-exit', String(4 * 1024 * 1024)));
      const script = `"${process.execPath}" --no-warnings "${program}" write-and-exit ${4 * 1024 * 1024} | cat`;
      const viaPipe = await bytesOf(spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] }));
      const kib = (bytes: number): string => `${Math.round(bytes / 1024)} KiB`;
      return `${kib(viaPipe)} and ${kib(viaSocket)}`;
    },
  },
  {
    what: 'group SIGKILL → three descendants in the group are gone',
    before: '3 ms',
    measure: (rounds) =>
      median(rounds, async () => {
        const child = await shell('sleep 60 & sleep 60 & (sleep 60 &) ; echo up; wait');
        const pid = child.pid ?? 0;
        const members = system.all().filter((info) => info.group === pid);
        return timed(async () => {
          process.kill(-pid, 'SIGKILL');
          await Promise.all(members.map((member) => gone(member.pid)));
        });
      }),
  },
  {
    what: 'a look at all processes with their cookies, per 100',
    before: '5 ms for 106',
    measure: (rounds) => {
      const count = processEntries().length;
      return median(rounds, async () => ((await timed(async () => void processEntries())) * 100) / count);
    },
  },
  {
    what: 'descendants of one agent: by the kernel’s list, by a look at all',
    before: '–',
    measure: async (rounds) => {
      const one = await agent('sleep 60 & setsid sleep 60 & echo up; wait');
      const kernel = await median(rounds, () => timed(async () => void descendants(one.pid)));
      const all = await median(rounds, () => timed(async () => void system.all()));
      await one.kill();
      return `${kernel}; ${all}`;
    },
  },
  {
    what: '200 kills of a tree that begin at once: together, and looks taken',
    before: '–',
    measure: async () => {
      const scanner = new ProcessScanner();
      const took = await timed(() =>
        Promise.all(Array.from({ length: 200 }, (_, index) => killTree({ cookie: `nobody ${index}` }, { scanner }))),
      );
      return `${ms(took)}, ${scanner.looks} looks`;
    },
  },
  {
    what: '`kill` → `onBroken` → `onExit`, an agent with two children in its group',
    before: '–',
    measure: async (rounds) => {
      let broken = '';
      const all = await median(rounds, async () => {
        const one = await agent('sleep 60 & sleep 60 & echo up; wait');
        const began = performance.now();
        await one.kill();
        broken = ms(one.brokenAt() - began);
        return performance.now() - began;
      });
      return `${broken}; ${all}`;
    },
  },
  {
    what: '`kill` → `onExit`, an agent with a tool in a session of its own',
    before: '–',
    measure: (rounds) =>
      median(rounds, async () => {
        const one = await agent('setsid sleep 60 <&- >&- 2>&- & echo up; wait');
        return timed(() => one.kill());
      }),
  },
  {
    what: '50 agents with such tools killed at once → all told of',
    before: '–',
    measure: async () => {
      const all = await Promise.all(
        Array.from({ length: 50 }, () => agent('setsid sleep 60 <&- >&- 2>&- & echo up; wait')),
      );
      return ms(await timed(() => Promise.all(all.map((one) => one.kill()))));
    },
  },
  {
    what: '`endDaemonProcesses`: 20 agents with such tools, from the word to nobody left',
    before: '–',
    measure: (rounds) =>
      median(Math.min(rounds, 5), async () => {
        const id = randomUUID();
        await Promise.all(
          Array.from({ length: 20 }, () => agent('setsid sleep 60 <&- >&- 2>&- & echo up; wait', { daemonId: id })),
        );
        return timed(() => endDaemonProcesses(id));
      }),
  },
  {
    what: 'worker thread: start → online, and its memory',
    before: '49 ms, 8.4 MiB',
    measure: async (rounds) => {
      const before = rss(process.pid);
      const workers: Worker[] = [];
      const took = await median(rounds, () =>
        timed(async () => {
          const worker = new Worker('require("node:worker_threads").parentPort.once("message", () => {})', {
            eval: true,
          });
          workers.push(worker);
          await once(worker, 'online');
        }),
      );
      const each = (rss(process.pid) - before) / workers.length;
      await Promise.all(workers.map((worker) => worker.terminate()));
      return `${took}, ${each.toFixed(1)} MiB each of ${workers.length}`;
    },
  },
  {
    what: '`fork` → first message, and its memory',
    before: '101 ms, 42 MiB',
    measure: (rounds) =>
      withMemory(rounds, async () => {
        const child = fork(program, ['ipc'], {
          execArgv: ['--no-warnings'],
          stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        });
        await once(child, 'message');
        return child;
      }),
  },
  {
    what: '`spawn node` → first byte, and its memory',
    before: '118 ms, 42 MiB',
    measure: (rounds) =>
      withMemory(rounds, async () => {
        const child = node('say');
        if (child.stdout !== null) {
          await once(child.stdout, 'data');
        }
        return child;
      }),
  },
  {
    what: '`spawn sh` → first byte',
    before: '6 ms',
    measure: (rounds) =>
      median(rounds, async () => {
        const began = performance.now();
        const child = await shell('echo up; read x');
        const took = performance.now() - began;
        child.kill('SIGKILL');
        await once(child, 'exit');
        return took;
      }),
  },
  {
    what: 'a blocked child whose parent ended by SIGKILL: with `setpriv --pdeathsig`',
    before: '5 to 22 ms',
    measure: (rounds) => median(Math.min(rounds, 5), () => orphaned('pdeathsig')),
  },
  {
    what: '… with a socket to the parent that a thread of the child watches',
    before: '7 to 8 ms',
    measure: (rounds) => median(Math.min(rounds, 5), () => orphaned('socket')),
  },
];

async function bytesOf(child: ChildProcess): Promise<number> {
  let bytes = 0;
  child.stdout?.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await once(child, 'close');
  return bytes;
}

async function withMemory(rounds: number, start: () => Promise<ChildProcess>): Promise<string> {
  let memory = 0;
  const took = await median(rounds, async () => {
    const began = performance.now();
    const child = await start();
    const ready = performance.now() - began;
    memory = rss(child.pid ?? 0);
    child.kill('SIGKILL');
    await once(child, 'exit');
    return ready;
  });
  return `${took}, ${Math.round(memory)} MiB`;
}

/** From the end of a parent to the end of its child, whose main thread is in an endless loop. */
async function orphaned(how: 'pdeathsig' | 'socket'): Promise<number> {
  const parent = node('parent', how);
  if (parent.stdout === null) {
    throw new Error('no stdout');
  }
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString().trim());
  return timed(async () => {
    parent.kill('SIGKILL');
    await gone(pid);
  });
}

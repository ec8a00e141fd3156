/** Directives for faults: the scripted agent behaves as no agent should, and as each of the real ones once did. */
import type { OutputPart } from '../../../core/model/output.ts';
import { closeSync } from 'node:fs';
import { holdLifeline } from '../../../supervise/process/lifeline.ts';
import { numbers } from './directives.ts';
import type { Turn } from './turn.ts';

/** A bound for ignored signals and blocked loops, which could outlive a failed test. */
const blockMaxMs = 120_000;

export const refusals = { ignoreTerm: false, ignoreEof: false, hungUp: false };

/** Their time is bounded, too. */
const ignoresTerm = "trap '' TERM HUP INT; echo $$ >&3; i=0; while [ $i -lt 600 ]; do sleep 1; i=$((i+1)); done";
const doubleFork = "setsid sh -c 'echo $$ >&3; exec sleep 600' & exit 0";

/** Emits the pid of the descendant, which reports it through a pipe. */
async function fork(turn: Turn, script: string): Promise<void> {
  const { spawn } = await import('node:child_process');
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  const reported = child.stdio[3];
  const pid = await new Promise<number>((resolve) => {
    reported?.once('data', (bytes: Buffer) => resolve(Number(bytes.toString())));
  });
  reported?.destroy();
  child.unref();
  turn.output(descendant('fork', pid));
}

const descendant = (name: string, pid: number): OutputPart => ({
  kind: 'tool',
  id: null,
  name,
  action: 'execute',
  title: `${name} (pid ${pid})`,
  status: 'started',
});

export const misbehaviours = {
  die(turn: Turn, how: string): void {
    turn.tools.log.write('exiting', { turn: turn.id, why: 'die' });
    turn.tools.stdout.release();
    if (how === 'SIGKILL') {
      process.kill(process.pid, 'SIGKILL');
    }
    process.exit(numbers(how, 1)[0]);
  },

  /** Half a line, then the end. */
  half(turn: Turn): void {
    turn.tools.stdout.raw(`{"type":"output","turn":${turn.id},"part":{"kind":"text","te`);
    turn.tools.stdout.release();
    turn.tools.log.write('exiting', { turn: turn.id, why: 'half' });
    process.exit(1);
  },

  async block(turn: Turn): Promise<void> {
    await holdLifeline();
    // From here on no signal handler runs.
    turn.output({ kind: 'notice', code: 'blocks', message: 'the event loop is blocked from here on' });
    const end = Date.now() + blockMaxMs;
    while (Date.now() < end) {}
  },

  garbage(turn: Turn): void {
    const { stdout } = turn.tools;
    stdout.raw(Uint8Array.from([0x00, 0xff, 0xfe, 0x80, 0xc3, 0x28, 0x1b, 0x5b, 0x32, 0x4a, 0x0a]));
    stdout.raw('this is not JSON\n[1,2,3]\nnull\n"text"\n{}\n{"type":7}\n{"type":"levitate","turn":1}\n');
    stdout.raw('{"type":"result"}\n{"type":"result","turn":-1,"outcome":"completed"}\n');
    stdout.raw(`{"type":"result","turn":${turn.id},"outcome":"splendid"}\n`);
    stdout.raw('{"type":"output","turn":1.5}\n{"type":"ready","capabilities":null}\n\n\r\n');
  },

  hugeline: (turn: Turn, argument: string): Promise<void> =>
    turn.tools.stdout.hugeLine(numbers(argument, 1024)[0] ?? 1024),

  stderr(_turn: Turn, argument: string): Promise<void> {
    const [bytes = 0] = numbers(argument, 1024);
    // It resolves when all of it is read: without a reader the turn hangs here.
    return new Promise((resolve) => {
      process.stderr.write(`${'e'.repeat(Math.max(0, bytes - 12))}\nstderr ends\n`, () => resolve());
    });
  },

  /** A child that keeps stdout open; with `own` in its own process session, where a signal to the group misses it. */
  async grandchild(turn: Turn, where: string): Promise<void> {
    const { spawn } = await import('node:child_process');
    const child = spawn('sleep', ['600'], { stdio: ['ignore', 'inherit', 'inherit'], detached: where === 'own' });
    child.unref();
    turn.output(descendant('grandchild', child.pid ?? 0));
  },

  /** Waits in a system call for what never comes: no JavaScript runs, and no processor is used. */
  async wedge(): Promise<void> {
    await holdLifeline();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMaxMs);
  },

  /** Stops itself, as a debugger would: only SIGKILL and SIGCONT have an effect. */
  stop(): void {
    process.kill(process.pid, 'SIGSTOP');
  },

  /** A descendant that refuses to end: `ignore` is in the group and ignores SIGTERM; `double` is orphaned, in its own process session. */
  fork(turn: Turn, how: string): Promise<void> {
    return fork(turn, how === 'double' ? doubleFork : ignoresTerm);
  },

  /** As `fork:double`, then the agent exits in mid-turn; its descendant keeps the pipes. */
  async leave(turn: Turn, code: string): Promise<void> {
    await fork(turn, doubleFork);
    turn.tools.log.write('exiting', { turn: turn.id, why: 'leave' });
    process.exit(numbers(code, 0)[0]);
  },

  /** Closes both pipes and keeps running. */
  'hang-up'(): Promise<void> {
    const { stdin, stdout } = process;
    stdin.removeAllListeners('end');
    stdin.destroy();
    refusals.hungUp = true;
    setTimeout(() => {}, blockMaxMs);
    return new Promise((resolve) => {
      stdout.end(() => {
        // Node keeps the descriptors of the standard streams open.
        for (const fd of [0, 1]) {
          closeSync(fd);
        }
        resolve();
      });
    });
  },

  /** Stops reading. */
  'read-no-more'(): void {
    process.stdin.pause();
  },

  'ignore-term': (): void => {
    refusals.ignoreTerm = true;
  },

  'ignore-eof': (): void => {
    refusals.ignoreEof = true;
  },
};

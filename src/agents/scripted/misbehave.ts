/** Directives by which the scripted agent behaves as no agent should, and as every one of them once did. */
import type { OutputPart } from '../../core/events.ts';
import { closeSync } from 'node:fs';
import { holdLifeline } from '../../supervise/process/lifeline.ts';
import { numbers } from './directives.ts';
import type { Turn } from './turn.ts';

/** An ignored signal or a blocked loop must not outlive a failed test for ever. */
const blockMaxMs = 120_000;

export const willful = { ignoreTerm: false, ignoreEof: false, hungUp: false };

/** Their time is bounded too. */
const ignoresTerm = "trap '' TERM HUP INT; echo $$ >&3; i=0; while [ $i -lt 600 ]; do sleep 1; i=$((i+1)); done";
const doubleFork = "setsid sh -c 'echo $$ >&3; exec sleep 600' & exit 0";

/** Says the pid of the descendant as soon as it is known: it tells by a pipe of its own. */
async function fork(turn: Turn, script: string): Promise<void> {
  const { spawn } = await import('node:child_process');
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  const told = child.stdio[3];
  const pid = await new Promise<number>((resolve) => {
    told?.once('data', (bytes: Buffer) => resolve(Number(bytes.toString())));
  });
  told?.destroy();
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

export const misbehave = {
  die(turn: Turn, how: string): void {
    turn.tools.log.write('exiting', { turn: turn.id, why: 'die' });
    turn.tools.voice.release();
    if (how === 'SIGKILL') {
      process.kill(process.pid, 'SIGKILL');
    }
    process.exit(numbers(how, 1)[0]);
  },

  /** Half a line, then the end. */
  half(turn: Turn): void {
    turn.tools.voice.raw(`{"type":"output","turn":${turn.id},"part":{"kind":"text","te`);
    turn.tools.voice.release();
    turn.tools.log.write('exiting', { turn: turn.id, why: 'half' });
    process.exit(1);
  },

  async block(turn: Turn): Promise<void> {
    await holdLifeline();
    // From here on no signal is heard.
    turn.output({ kind: 'notice', code: 'blocks', message: 'its loop is blocked from here on' });
    const end = Date.now() + blockMaxMs;
    while (Date.now() < end) {}
  },

  garbage(turn: Turn): void {
    const { voice } = turn.tools;
    voice.raw(Uint8Array.from([0x00, 0xff, 0xfe, 0x80, 0xc3, 0x28, 0x1b, 0x5b, 0x32, 0x4a, 0x0a]));
    voice.raw('this is no JSON\n[1,2,3]\nnull\n"text"\n{}\n{"type":7}\n{"type":"levitate","turn":1}\n');
    voice.raw('{"type":"result"}\n{"type":"result","turn":-1,"outcome":"completed"}\n');
    voice.raw(`{"type":"result","turn":${turn.id},"outcome":"splendid"}\n`);
    voice.raw('{"type":"output","turn":1.5}\n{"type":"ready","capabilities":null}\n\n\r\n');
  },

  hugeline: (turn: Turn, argument: string): Promise<void> =>
    turn.tools.voice.hugeLine(numbers(argument, 1024)[0] ?? 1024),

  stderr(_turn: Turn, argument: string): Promise<void> {
    const [bytes = 0] = numbers(argument, 1024);
    // Resolved when all of it is taken: if nobody reads, the turn hangs here.
    return new Promise((resolve) => {
      process.stderr.write(`${'e'.repeat(Math.max(0, bytes - 12))}\nstderr ends\n`, () => resolve());
    });
  },

  /** A child that keeps stdout open; with `own`, in a session of its own, where a signal to the group misses it. */
  async grandchild(turn: Turn, where: string): Promise<void> {
    const { spawn } = await import('node:child_process');
    const child = spawn('sleep', ['600'], { stdio: ['ignore', 'inherit', 'inherit'], detached: where === 'own' });
    child.unref();
    turn.output(descendant('grandchild', child.pid ?? 0));
  },

  /** Waits in the system for what never comes: no JavaScript runs, and no processor is used. */
  async wedge(): Promise<void> {
    await holdLifeline();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMaxMs);
  },

  /** Is stopped, as by a debugger: it takes no signal but SIGKILL and SIGCONT. */
  stop(): void {
    process.kill(process.pid, 'SIGSTOP');
  },

  /** A descendant that does not want to end: `ignore` in the group and deaf to SIGTERM; `double` orphaned, in its own session. */
  fork(turn: Turn, how: string): Promise<void> {
    return fork(turn, how === 'double' ? doubleFork : ignoresTerm);
  },

  /** As `fork:double`, then the agent leaves in mid-turn; its descendant keeps the pipes. */
  async leave(turn: Turn, code: string): Promise<void> {
    await fork(turn, doubleFork);
    turn.tools.log.write('exiting', { turn: turn.id, why: 'leave' });
    process.exit(numbers(code, 0)[0]);
  },

  /** Hangs up both pipes and lives on. */
  'hang-up'(): Promise<void> {
    const { stdin, stdout } = process;
    stdin.removeAllListeners('end');
    stdin.destroy();
    willful.hungUp = true;
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

  /** Reads nothing any more; says pieces without end. */
  'read-no-more'(): void {
    process.stdin.pause();
  },

  'ignore-term': (): void => {
    willful.ignoreTerm = true;
  },

  'ignore-eof': (): void => {
    willful.ignoreEof = true;
  },
};

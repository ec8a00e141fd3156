/** Directives by which the scripted agent behaves as no agent should, and as every one of them once did. */
import { numbers } from './directives.ts';
import type { Turn } from './turn.ts';

/** An ignored signal or a blocked loop must not outlive a failed test for ever. */
const blockMaxMs = 120_000;

export const willful = { ignoreTerm: false, ignoreEof: false };

export const misbehave = {
  die(turn: Turn, how: string): void {
    turn.tools.log.write('exiting', { turn: turn.id, why: 'die' });
    turn.tools.voice.release();
    if (how === 'SIGKILL') process.kill(process.pid, 'SIGKILL');
    process.exit(numbers(how, 1)[0]);
  },

  /** Half a line, then the end. */
  half(turn: Turn): void {
    turn.tools.voice.raw(`{"type":"output","turn":${turn.id},"kind":"text","da`);
    turn.tools.voice.release();
    turn.tools.log.write('exiting', { turn: turn.id, why: 'half' });
    process.exit(1);
  },

  block(): void {
    const end = Date.now() + blockMaxMs;
    while (Date.now() < end);
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
    turn.output('tool', { name: 'grandchild', pid: child.pid ?? null });
  },

  'ignore-term': (): void => {
    willful.ignoreTerm = true;
  },

  'ignore-eof': (): void => {
    willful.ignoreEof = true;
  },
};

/**
 * The JavaScript stack of the main thread, taken by another thread through the inspector.
 *
 * `Debugger.pause` interrupts loops, regular expressions, microtask floods and `Atomics.wait` in some 50 ms. A thread in
 * native code is interrupted when it comes back to JavaScript: until then there is no stack, and the system's own view of
 * the threads has to do; after that, the place it comes back to says what it had called.
 *
 *  stack/1 The main thread is let go in the same moment as its stack is read, and the debugger is detached: nothing stays
 *          slow.
 *  stack/2 Nothing is evaluated there, and nothing is terminated: both were seen to end a process.
 */
import type { Debugger } from 'node:inspector';
import type { StackFrame } from './report.ts';

const framesMax = 50;
/** An interrupt that works takes 40 to 140 ms; on a machine short of CPU many times that. */
const nativeAfterMs = 300;
const lookMs = 50;
const deadlineMs = 2_500;

export interface StackTaking {
  /** Resolves with the stack; null when the thread was not in JavaScript within the deadline. */
  readonly stack: Promise<readonly StackFrame[] | null>;
  /** Resolves with the stack of the moment in which it comes back to JavaScript; null when it was given up before. */
  readonly later: Promise<readonly StackFrame[] | null>;
  /** Asks for it no more. */
  readonly giveUp: () => void;
}

/**
 * `isNative`: asked from time to time whether the main thread cannot be in JavaScript; then the short deadline counts.
 * Never throws. Loads the inspector, which is not needed as long as nothing hangs.
 */
export function takeStack(isNative: () => boolean): StackTaking {
  const { Session } = process.getBuiltinModule('node:inspector');
  const session = new Session();
  const first = Promise.withResolvers<readonly StackFrame[] | null>();
  const later = Promise.withResolvers<readonly StackFrame[] | null>();
  let over = false;
  const settle = (stack: readonly StackFrame[] | null): void => {
    if (over) {
      return;
    }
    over = true;
    clearInterval(timer);
    first.resolve(stack);
    later.resolve(stack);
    try {
      session.disconnect();
    } catch {
      // Never connected.
    }
  };
  const askedAt = performance.now();
  const giveUpAt = askedAt + deadlineMs;
  const timer = setInterval(() => {
    const now = performance.now();
    if (now >= giveUpAt || (now >= askedAt + nativeAfterMs && isNative())) {
      giveUp();
    }
  }, lookMs);
  const giveUp = (): void => {
    clearInterval(timer);
    first.resolve(null);
  };
  try {
    session.connectToMainThread();
    // A frame names its script by a number; `enable` tells all numbers.
    const urls = new Map<string, string>();
    session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
    session.once('Debugger.paused', ({ params }) => {
      const stack = params.callFrames.slice(0, framesMax).map((frame) => frameOf(frame, urls));
      session.post('Debugger.resume', () => settle(stack));
    });
    session.post('Debugger.enable');
    session.post('Debugger.pause');
  } catch {
    // This Node was built without an inspector, or the main thread is going away.
    settle(null);
  }
  return { stack: first.promise, later: later.promise, giveUp: () => settle(null) };
}

const frameOf = (
  { functionName, url, location }: Debugger.CallFrame,
  urls: ReadonlyMap<string, string>,
): StackFrame => ({
  function: functionName === '' ? '(anonymous)' : functionName,
  url: url === '' ? (urls.get(location.scriptId) ?? '') : url,
  line: location.lineNumber + 1,
  column: (location.columnNumber ?? 0) + 1,
});

/** `work (file:///box/signalbox.config.ts:7:3)`; null where there is none. */
export function innermost(stack: readonly StackFrame[] | null): string | null {
  // Node's own functions say little about who called them; where there is nothing else, they have to do.
  const frame = stack?.find(({ url }) => !url.startsWith('node:')) ?? stack?.[0];
  return frame === undefined ? null : frameText(frame);
}

const frameText = ({ function: name, url, line, column }: StackFrame): string =>
  `${name} (${url === '' ? 'unknown' : url}:${line}:${column})`;

/** The ways in which a daemon's main loop is made to hang, and what its report must say. */

export interface HangCase {
  readonly name: string;
  /** Statements of `function block()`. */
  readonly block: string;
  /** Null: the main loop runs on; it is a thread that hangs. */
  readonly how: 'js' | 'native' | null;
  readonly atOnce?: true;
  /** Statements of an agent in a worker thread, after its first word: the session's report says this of it. */
  readonly agent?: { readonly body: string; readonly class: 'agent-silent' | 'agent-spinning' };
  /** Not in the bounded version. */
  readonly long?: true;
}

export const hangCases: readonly HangCase[] = [
  { name: 'while (true)', block: 'while (true);', how: 'js' },
  {
    name: 'a blocking read (FIFO)',
    block: "child.execFileSync('mkfifo', [`${FOLDER}/fifo`]); fs.readFileSync(`${FOLDER}/fifo`);",
    how: 'native',
  },
  {
    name: 'execSync of a sleep',
    block: "child.execSync('sleep 600');",
    how: 'native',
    long: true,
  },
  { name: 'pbkdf2Sync', block: "crypto.pbkdf2Sync('a', 'b', 2_000_000_000, 64, 'sha512');", how: 'native', long: true },
  {
    name: 'Atomics.wait',
    block: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
    how: 'js',
    long: true,
  },
  { name: 'a regular expression', block: "/^(a+)+$/.test('a'.repeat(60) + 'b');", how: 'js', long: true },
  {
    name: 'a flood of microtasks',
    block: 'const flood = () => { queueMicrotask(flood); }; flood();',
    how: 'js',
    long: true,
  },
  {
    name: 'a storm of JSON',
    block:
      "const big = Array.from({ length: 50_000 }, (_, i) => ({ i, s: 'x'.repeat(50) })); for (;;) JSON.stringify(big);",
    how: 'js',
    long: true,
  },
  { name: 'while its configuration is loaded', block: 'while (true);', how: 'js', atOnce: true },
  {
    name: 'a native call in a worker thread',
    block: `new threads.Worker("process.getBuiltinModule('fs').writeSync(2, 'is stuck'); process.getBuiltinModule('child_process').execSync('sleep 600')", { eval: true });`,
    how: null,
  },
  {
    name: 'an agent in a thread, in a native call',
    block: '',
    how: null,
    agent: { body: "child.execSync('sleep 600');", class: 'agent-silent' },
  },
  {
    name: 'an agent in a thread, in while (true)',
    block: '',
    how: null,
    agent: { body: 'while (true);', class: 'agent-spinning' },
    long: true,
  },
];

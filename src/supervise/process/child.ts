/**
 * One agent process: its group, its end, and the end of all that it left.
 *
 * Owns: the child handle, its pipes, and at any time at most one rung timer, one settle pair, one kill of what is left, and one further try to
 * lower its priority.
 * Called by: a driver. Calls: the callbacks of `SpawnOptions`, never from within `spawnAgent` except `onProcess`, and
 * never from within a method of the child.
 *
 *   running ──close──► closing ──grace──► terminating ──grace──► killing ──deadline──► given up
 *      │ kill ─────────────────────────────────▲ │                  │                      │
 *      └────────────── the system says `exit` ◄──┴──────────────────┘                      │
 *                         │ settle: read on                                                │
 *                         ▼                                                                │
 *                      end: the group, and who left it, until nobody is left ──► onExit ◄┘
 *
 * Invariants:
 *  child/1 `onExit` is called exactly once and last: the leader is reaped, and nobody lives who is of its group, carries
 *          its cookie, or was its descendant when the ladder was walked; or the reap deadline has passed and the report
 *          names who.
 *  child/2 The end of the leader is known from its `exit` event alone. Pipes prove nothing: a grandchild may hold them.
 *  child/3 After an end of its own the pipes are read on until they end, are silent for `settleQuietMs`, or `settleMaxMs`
 *          is over; after an end that we forced they are dropped at once. Of a child that was not ready yet whoever holds
 *          them is ended at once, and what is in them is read.
 *  child/4 Every rung has one deadline from its begin. A rung is never entered twice and never left downwards.
 *  child/5 The first cause is kept: what its own remedies provoke never replaces it.
 *  child/6 `onBroken` is called exactly once, before `onExit`: with SIGKILL, with an end that we forced, when it has hung up
 *          and lives (child/10), or when what the leader had written before its own end has been read; not later than 50 ms
 *          after that end.
 *  child/7 Nothing that a callback throws skips a step.
 *  child/8 Only our own group is signalled: its number is not given away while the leader is unreaped or a member lives.
 *  child/9 Descendants are noted before each rung, since a tool in a session of its own has no link to us once its parent
 *          is gone.
 *  child/10 A child of lines whose stdout has ended, or which has closed its stdin, can be asked nothing any more. Unless it
 *           ends by itself, and says so within `settleQuietMs` of silence on stderr and `settleMaxMs` in all, it is ended as
 *           `channel_broken`. The end of stderr alone breaks nothing.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { Server } from 'node:net';
import { basename, isAbsolute } from 'node:path';
import { Readable, Writable } from 'node:stream';
import type { AgentChild, ChildIdentity, ExitReason, Rung, SpawnOptions } from './child-options.ts';
import { checkDescriptors } from './descriptors.ts';
import { cookieName, daemonIdName, type Environment } from './environment.ts';
import { ChannelBroken } from '../channel/errors.ts';
import { killTree } from './kill-tree.ts';
import { pendingWaits } from '../pending-waits.ts';
import { Pipes } from './pipes.ts';
import { descendants, groupMembers, isAlive, lower, processInfo, signal, signalGroup } from '../platform/processes.ts';
import { inBubblewrap, inGroups, programInput, programOutput } from '../sandbox/bubblewrap.ts';
import { makeGroups } from '../sandbox/control-groups.ts';
import { HostProxy } from '../sandbox/host-proxy.ts';
import type { SpawnFailure } from './spawn-failure.ts';
import { spawnFailure } from './spawn-failure.ts';
import type { Timers } from '../timers.ts';
import { realTimers } from '../timers.ts';

/** What the leader wrote before its end is in the pipes: read it before whoever waits is told that nothing comes. */
const lastWordsMs = 30;
/** From the first try to lower its priority to the second; each next one waits twice as long, at most the other. */
const lowerAgainMs = 150;
const lowerAgainMaxMs = 2_400;

type Phase = 'running' | 'settling' | 'ending-group' | 'over';

interface Streams {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

interface Spawned {
  readonly child: ChildProcess;
  /** Those of the program, also where it runs in a sandbox; null: it was not started. */
  readonly streams: Streams | null;
  /** Ends what was made here for its sandbox. */
  readonly release: () => void;
}

export function spawnAgent(options: SpawnOptions): AgentChild {
  return new Child(options);
}

/** Throws what the system refuses at once. */
function spawnProgram(options: SpawnOptions, env: Environment): Spawned {
  const { inSandbox, command, args, cwd } = options;
  if (inSandbox === undefined) {
    checkDescriptors(3);
    const child = spawn(command, [...args], { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    const { stdin, stdout, stderr } = child;
    return { child, streams: { stdin, stdout, stderr }, release: () => {} };
  }
  // In the sandbox it would be an exit of the sandbox.
  for (const path of [command, cwd ?? '/']) {
    if (isAbsolute(path)) {
      accessSync(path, constants.X_OK);
    }
  }
  const { network, limits } = inSandbox;
  const channel = typeof network === 'string' ? [] : ['ipc' as const];
  checkDescriptors(3 + channel.length);
  const groups = limits === undefined ? null : makeGroups(env[cookieName] ?? '', limits);
  const outer = inGroups(inBubblewrap(inSandbox, { command, args, cwd }), groups?.files ?? []);
  const stdio: StdioOptions = ['ignore', 'ignore', 'pipe', 'pipe', 'pipe', ...channel];
  const child = spawn(outer.command, [...outer.args], { cwd: outer.cwd, env, detached: true, stdio });
  const endProxy = typeof network === 'string' ? () => {} : serveHosts(child, network);
  const release = (): void => {
    endProxy();
    groups?.remove();
  };
  // Where too many files are open there are none, and `error` tells it.
  const [stdin, stdout] = [child.stdio?.[programInput], child.stdio?.[programOutput]];
  const { stderr } = child;
  const isWhole = stdin instanceof Writable && stdout instanceof Readable && stderr !== null;
  return { child, streams: isWhole ? { stdin, stdout, stderr } : null, release };
}

/** The sandbox sends a server that listens within it. */
function serveHosts(child: ChildProcess, hosts: readonly string[]): () => void {
  const proxy = new HostProxy(hosts);
  child.once('message', (_message, server) => {
    if (server instanceof Server) {
      proxy.serve(server);
      child.send('taken', () => child.connected && child.disconnect());
    }
  });
  return () => proxy.end();
}

class Child implements AgentChild {
  readonly #options: SpawnOptions;
  readonly #timers: Timers;
  /** Descendants that were seen, by pid, with their start times. */
  readonly #known = new Map<number, string>();
  #process: ChildProcess | null = null;
  #streams: Streams | null = null;
  #release = (): void => {};
  #pipes: Pipes | null = null;
  #phase: Phase = 'running';
  #rung: Rung | null = null;
  #cause: ExitReason | null = null;
  #code: number | null = null;
  #signal: string | null = null;
  #unread: unknown = null;
  #ready = false;
  #broken = false;
  /** Why nothing can be asked of it any more, though it lives; null: nothing shows that. */
  #hungUp: 'stdin' | 'stdout' | null = null;
  /** Data came since this was last set to false. */
  #reading = false;
  #cancelRung = (): void => {};
  #cancelQuiet = (): void => {};
  #cancelSettle = (): void => {};
  #cancelHangUp = (): void => {};
  #cancelHangUpMax = (): void => {};
  #cancelLastWords = (): void => {};
  #cancelLower = (): void => {};
  identity: ChildIdentity | null = null;
  label: string;

  constructor(options: SpawnOptions) {
    this.#options = options;
    this.#timers = options.timers ?? realTimers;
    this.label = options.name ?? basename(options.command);
    const cookie = (options.ids ?? randomUUID)();
    const daemonId = options.daemonId === undefined ? (process.env[daemonIdName] ?? null) : options.daemonId;
    try {
      const env = { ...options.env, [cookieName]: cookie, ...(daemonId === null ? {} : { [daemonIdName]: daemonId }) };
      this.#adopt(spawnProgram(options, env), cookie);
    } catch (error) {
      // Some failures are thrown (too many files, no rights), others come as an event: both are told later, as one.
      process.nextTick(() => this.#neverWas(error));
    }
  }

  writeLine(line: string): boolean {
    return this.#pipes?.writeLine(line) ?? false;
  }

  ready(): void {
    this.#ready = true;
    if (this.#options.inSandbox !== undefined && this.identity !== null) {
      this.#cancelLower();
      this.#lower(this.identity.pid, lowerAgainMs);
    }
  }

  stderrTail(): string {
    return this.#pipes?.stderr ?? '';
  }

  close(): void {
    if (this.#rung !== null || this.#phase !== 'running') {
      return;
    }
    this.#cause ??= 'closed';
    this.#pipes?.endInput();
    this.#enter('close');
  }

  kill(cause: ExitReason = 'killed'): void {
    if (this.#phase === 'settling') {
      this.#timers.set(0, () => this.#endGroup());
    }
    if (this.#phase !== 'running' || this.#rung === 'term' || this.#rung === 'kill') {
      return;
    }
    this.#cause ??= cause;
    this.#pipes?.refuse();
    this.#enter('term');
  }

  #adopt({ child, streams, release }: Spawned, cookie: string): void {
    this.#process = child;
    this.#release = release;
    this.#streams = streams;
    child.on('error', (error) => {
      if (child.pid === undefined) {
        this.#neverWas(error);
      }
    });
    if (child.pid === undefined || streams === null) {
      return;
    }
    this.#lower(child.pid, lowerAgainMs);
    // Read at once: until the loop turns nobody can have reaped it, so the entry is there even if it has ended.
    this.identity = { pid: child.pid, startTime: processInfo(child.pid)?.startTime ?? '', cookie };
    this.label = `${this.label} (pid ${child.pid})`;
    child.on('exit', (code, signalName) => this.#onLeaderExit(code, signalName));
    const { onBytes } = this.#options;
    this.#pipes = new Pipes(streams, {
      lineMaxBytes: this.#options.lineMaxBytes ?? 8 * 1024 * 1024,
      writeMaxBytes: this.#options.writeMaxBytes ?? 64 * 1024 * 1024,
      writeMaxLines: this.#options.writeMaxLines ?? 10_000,
      onFrame: (frame) => this.#take(() => this.#options.onFrame(frame)),
      onBytes: onBytes === undefined ? null : (chunk, from) => this.#take(() => onBytes(chunk, from)),
      onRead: () => this.#onRead(),
      onHangUp: () => this.#onHangUp('stdin'),
      // A program without lines may close its output, and work on.
      onOutputEnd: () => onBytes === undefined && this.#onHangUp('stdout'),
      onOverflow: () => this.kill('channel_broken'),
      onClosed: () => {
        if (this.#phase === 'settling') {
          this.#endGroup();
        }
      },
    });
    try {
      this.#options.onProcess?.(this.identity);
    } catch {
      // An agent that is not on record must not live: nobody could end it after a crash of the daemon.
      this.kill('unrecorded');
    }
    if (this.#options.input === 'none') {
      this.#pipes.endInput();
    }
  }

  #lower(pid: number, againMs: number): void {
    const { nice = 0 } = this.#options;
    if (nice === 0) {
      return;
    }
    const isLow = lower(pid, nice);
    // What the sandbox had started before it was lowered itself.
    for (const inside of this.#options.inSandbox === undefined ? [] : descendants(pid)) {
      lower(inside.pid, nice);
    }
    if (isLow) {
      return;
    }
    this.#cancelLower = this.#timers.set(againMs, () => this.#lower(pid, Math.min(2 * againMs, lowerAgainMaxMs)));
  }

  #take(give: () => void): void {
    if (this.#phase === 'over') {
      return;
    }
    try {
      give();
    } catch (error) {
      this.#unread ??= error;
      this.kill('unread');
    }
  }

  #onRead(): void {
    this.#reading = true;
    if (this.#phase === 'settling') {
      this.#listenForQuiet();
    } else if (this.#hungUp !== null) {
      this.#awaitEnd();
    }
  }

  /** A pipe that breaks because the child has just died tells so before `exit` does: wait for the better reason. */
  #onHangUp(what: 'stdin' | 'stdout'): void {
    this.#pipes?.refuse();
    if (this.#phase !== 'running' || this.#rung !== null) {
      return;
    }
    if (this.#hungUp === null) {
      const { settleMaxMs = 2_000 } = this.#options;
      this.#cancelHangUpMax = this.#wait('its end after it has hung up', settleMaxMs, () => this.#endHungUp());
    }
    // Who closes stdout breaks the channel, whatever happened to stdin before.
    this.#hungUp = this.#hungUp === 'stdout' ? 'stdout' : what;
    this.#awaitEnd();
  }

  #awaitEnd(): void {
    if (this.#phase !== 'running' || this.#rung !== null) {
      return;
    }
    this.#cancelHangUp();
    const { settleQuietMs = 100 } = this.#options;
    this.#cancelHangUp = this.#timers.set(settleQuietMs, () => this.#afterReading(() => this.#endHungUp()));
  }

  #endHungUp(): void {
    if (this.#phase !== 'running' || this.#rung !== null) {
      return;
    }
    // Dead, on a machine so busy that we have not been told yet.
    const now = processInfo(this.identity?.pid ?? 0);
    if (now === null || now.zombie) {
      this.#awaitEnd();
      return;
    }
    this.kill('channel_broken');
    this.#break();
  }

  #enter(rung: Rung): void {
    this.#cancelRung();
    this.#endHangUpWait();
    this.#rung = rung;
    this.#note();
    const { closeGraceMs = 2_000, termGraceMs = 1_000, reapDeadlineMs = 5_000 } = this.#options;
    if (rung === 'close') {
      this.#cancelRung = this.#wait('its end after the end of stdin', closeGraceMs, () => this.#enter('term'));
    } else if (rung === 'term') {
      this.#signalGroup('SIGTERM');
      this.#cancelRung = this.#wait('its end after SIGTERM', termGraceMs, () => this.#enter('kill'));
    } else {
      this.#signalGroup('SIGKILL');
      this.#cancelRung = this.#wait('its end after SIGKILL', reapDeadlineMs, () => this.#giveUp());
      this.#break();
    }
  }

  #endHangUpWait(): void {
    this.#cancelHangUp();
    this.#cancelHangUpMax();
  }

  /** A deadline that stands in the list of pending waits. */
  #wait(name: string, deadlineMs: number, then: () => void): () => void {
    const endWait = (this.#options.waits ?? pendingWaits).add({ owner: this.label, name, deadlineMs });
    const cancel = this.#timers.set(deadlineMs, () => {
      endWait();
      then();
    });
    return () => {
      endWait();
      cancel();
    };
  }

  #note(): void {
    if (this.identity === null) {
      return;
    }
    for (const { pid, startTime } of descendants(this.identity.pid)) {
      this.#known.set(pid, startTime);
    }
  }

  #signalGroup(name: NodeJS.Signals): void {
    if (this.identity === null) {
      return;
    }
    const { pid } = this.identity;
    if (this.#options.inSandbox === undefined || name === 'SIGKILL') {
      signalGroup(pid, name);
      return;
    }
    // The leader is the sandbox, which a signal ends at once, with all that is in it and could still end by itself.
    for (const member of groupMembers(pid)) {
      if (member.pid !== pid) {
        signal(member.pid, name);
      }
    }
  }

  #onLeaderExit(code: number | null, signalName: string | null): void {
    if (this.#phase !== 'running') {
      return;
    }
    this.#cancelLower();
    this.#code = code;
    this.#signal = signalName;
    this.#pipes?.refuse();
    this.#cancelRung();
    this.#endHangUpWait();
    const forced = this.#rung === 'term' || this.#rung === 'kill';
    if (forced || this.#pipes?.open !== true) {
      this.#endGroup();
      return;
    }
    if (!this.#ready) {
      this.#endGroup(true);
      return;
    }
    this.#phase = 'settling';
    const { settleMaxMs = 2_000 } = this.#options;
    this.#cancelSettle = this.#wait('its last words', settleMaxMs, () => this.#afterReading(() => this.#endGroup()));
    this.#cancelLastWords = this.#timers.set(lastWordsMs, () => this.#afterReading(() => this.#break()));
    this.#listenForQuiet();
  }

  #listenForQuiet(): void {
    this.#cancelQuiet();
    const { settleQuietMs = 100 } = this.#options;
    this.#cancelQuiet = this.#timers.set(settleQuietMs, () => this.#afterReading(() => this.#endGroup()));
  }

  /** A loop that was held up runs its timers before it reads: let it read what is there, once. */
  #afterReading(then: () => void, turnsLeft = 3): void {
    this.#reading = false;
    setImmediate(() => {
      if (this.#reading && turnsLeft > 1) {
        this.#afterReading(then, turnsLeft - 1);
      } else {
        then();
      }
    });
  }

  /** `reading`: what comes meanwhile is still taken. */
  #endGroup(reading = false): void {
    if (this.#phase === 'ending-group' || this.#phase === 'over') {
      return;
    }
    this.#phase = 'ending-group';
    this.#cancelQuiet();
    this.#cancelSettle();
    if (reading) {
      this.#afterReading(() => this.#break());
      void this.#endAll((left) => this.#afterReading(() => this.#finish(left)));
      return;
    }
    this.#pipes?.drop();
    this.#break();
    void this.#endAll((left) => this.#finish(left));
  }

  async #endAll(then: (left: readonly number[]) => void): Promise<void> {
    const { scanner, waits = pendingWaits, reapDeadlineMs = 5_000 } = this.#options;
    if (this.identity === null) {
      return;
    }
    const { pid, startTime, cookie } = this.identity;
    const endWait = waits.add({ owner: this.label, name: 'the end of what it left', deadlineMs: reapDeadlineMs });
    const selector = { cookie, group: { id: pid, leaderSince: startTime }, known: this.#known };
    const limits = { timers: this.#timers, deadlineMs: reapDeadlineMs, ...(scanner && { scanner }) };
    let left: readonly number[];
    try {
      ({ left } = await killTree(selector, limits));
    } catch (error) {
      this.#options.onError?.(error, `the end of the processes of ${this.label}`);
      left = this.#leftNow();
    }
    endWait();
    then(left);
  }

  /** The system does not say that it has ended, not even after SIGKILL. */
  #giveUp(): void {
    this.#process?.unref();
    this.#finish(this.#leftNow());
  }

  #leftNow(): readonly number[] {
    const group = this.identity === null ? [] : groupMembers(this.identity.pid).map(({ pid }) => pid);
    const known = [...this.#known].flatMap(([pid, startTime]) => (isAlive({ pid, startTime }) ? [pid] : []));
    return [...new Set([...group, ...known])];
  }

  #neverWas(error: unknown): void {
    if (this.#phase === 'over') {
      return;
    }
    for (const pipe of [this.#streams?.stdin, this.#streams?.stdout, this.#streams?.stderr]) {
      pipe?.destroy();
    }
    this.#finish([], spawnFailure(error, this.#options));
  }

  #break(reason = this.#reason): void {
    if (this.#broken) {
      return;
    }
    this.#broken = true;
    this.#pipes?.refuse();
    this.#cancelLastWords();
    const phase = this.#rung !== null ? 'closing' : this.#ready ? 'ready' : 'starting';
    this.#tell('onBroken', () => this.#options.onBroken?.(new ChannelBroken(this.label, reason, phase)));
  }

  get #reason(): ExitReason {
    return this.#cause ?? (this.#code === 0 ? 'exited' : 'crashed');
  }

  #finish(left: readonly number[], failure?: SpawnFailure): void {
    if (this.#phase === 'over') {
      return;
    }
    const reason = failure?.reason ?? this.#reason;
    this.#break(reason);
    this.#pipes?.drop();
    this.#phase = 'over';
    for (const cancel of [
      this.#cancelRung,
      this.#cancelQuiet,
      this.#cancelSettle,
      this.#cancelHangUp,
      this.#cancelHangUpMax,
      this.#cancelLower,
      this.#release,
    ]) {
      cancel();
    }
    const end = { reason, code: this.#code, signal: this.#signal, rung: this.#rung, stderr: this.stderrTail(), left };
    this.#tell('onExit', () => this.#options.onExit({ ...end, ...(failure ?? this.#words(left)) }));
  }

  #words(left: readonly number[]): { readonly message: string | null; readonly hint: string | null } {
    if (left.length > 0) {
      return {
        message: `still running after SIGKILL: ${left.join(', ')}`,
        hint: 'The system holds them (often a stuck mount), or they belong to another user: look at their wait channel.',
      };
    }
    if (this.#cause === 'channel_broken' && this.#hungUp !== null) {
      return {
        message: `it closed its ${this.#hungUp} and did not end`,
        hint: 'A program that closes a pipe of its protocol can do no more work: look at its last words on stderr.',
      };
    }
    if (this.#unread === null) {
      return { message: null, hint: null };
    }
    const problem = this.#unread instanceof Error ? this.#unread.message : 'it threw a value that is not an Error';
    return { message: `its output could not be taken: ${problem}`, hint: 'This is a defect of its driver; report it.' };
  }

  #tell(where: string, callback: () => void): void {
    try {
      callback();
    } catch (error) {
      const { onError = (what: unknown) => process.emitWarning(what instanceof Error ? what : String(what)) } =
        this.#options;
      onError(error, `${where} of ${this.label}`);
    }
  }
}

/**
 * A Codex that misbehaves on demand. Every frame that it says was recorded from the real one and is said again about other
 * conversations and turns; only what the real one never does (garbage, silence, a wrong order) is made up here.
 *
 *     codex.ts [--state FOLDER] [--no-ready] [--fail METHOD:MESSAGE]… app-server …
 *
 * What a turn does is said in its prompt: directives as `[[forever]]`, `[[ack:late:30]]`; the table is below.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Stdout } from '../../../src/agents/scripted/program/stdout.ts';
import { pause, realTimers } from '../../../src/supervise/timers.ts';
import type { Frame } from '../record/recorder.ts';
import { type Directive, directivesIn, endOnSigterm, faults, refuses } from './directives.ts';
import { type Fields, type Named, Recorded, fieldsOf, garbage, textOf } from './codex-frames.ts';

const answer = new Recorded('answer');
const command = new Recorded('command');
const denied = new Recorded('denied');
const interrupted = new Recorded('interrupted');

interface Past {
  readonly id: string;
  readonly clientId: string;
  readonly prompt: string;
}

const flags = process.argv.slice(2, process.argv.indexOf('app-server'));
const flag = (name: string): string | null => (flags.includes(name) ? (flags[flags.indexOf(name) + 1] ?? '') : null);
const failing = new Map(
  flags.flatMap((one, at) => (one === '--fail' ? [(flags[at + 1] ?? '').split(/:(.*)/s, 2) as [string, string]] : [])),
);
const stateFolder = flag('--state');
const voice = new Stdout();
const say = (frame: object): void => voice.raw(`${JSON.stringify(frame)}\n`);

/** One turn, from its prompt to its end. */
class Turn implements Named {
  readonly id = randomUUID();
  readonly directives: readonly Directive[];
  readonly #player: Player;
  #started = false;
  #stopped = false;
  #wake = (): void => {};
  #interrupts = 0;
  #tool: ChildProcess | null = null;
  #over = false;

  constructor(player: Player, prompt: string) {
    this.#player = player;
    this.directives = directivesIn(prompt);
  }

  get thread(): string {
    return this.#player.thread;
  }

  get turn(): string {
    return this.id;
  }

  has(name: string): string | null {
    return this.directives.find((one) => one.name === name)?.argument ?? null;
  }

  is(name: string): boolean {
    return this.has(name) !== null;
  }

  async play(): Promise<void> {
    const late = Number(this.has('late-started') ?? 0);
    if (late > 0) {
      await pause(realTimers, late);
    }
    this.#started = true;
    if (!this.is('early-started')) {
      say(answer.say('turn/started', this));
    }
    for (const { name, argument } of this.directives) {
      if (this.#stopped || this.#over) {
        break;
      }
      await acts[name]?.(this, argument);
    }
    if (this.directives.every(({ name }) => acts[name] === undefined)) {
      await this.stream('3,1');
    }
    if (!this.#over) {
      await this.end(this.#stopped ? 'interrupted' : 'completed');
    }
  }

  async end(status: 'completed' | 'interrupted'): Promise<void> {
    this.#over = true;
    this.#player.settled(this);
    if (this.is('noresult')) {
      return;
    }
    const [ack, ms] = (this.has('ack') ?? '').split(':');
    const frame = this.#ended(status);
    if (this.is('split')) {
      await voice.sayInPieces(frame);
    } else {
      say(frame);
    }
    if (this.is('twice')) {
      say(frame);
    }
    voice.release();
    if (ack === 'after' && this.#interrupts > 0) {
      realTimers.set(Number(ms), () => this.#player.ack());
    }
    if (this.is('unsolicited')) {
      this.#player.volunteer();
    }
    if (this.is('background')) {
      const completed = this.#command('item/completed');
      realTimers.set(5, () => say(completed));
    }
    if (this.is('late')) {
      this.speak('too late');
    }
  }

  speak(piece: string): void {
    say(answer.say('item/agentMessage/delta', this, undefined, { delta: piece }));
  }

  async stream(argument: string): Promise<void> {
    const [count, ms] = argument.split(',').map(Number);
    for (let piece = 1; !this.#stopped && piece <= (count ?? 3); piece += 1) {
      this.speak(`piece ${piece} `);
      await this.wait(ms ?? 1);
    }
  }

  /** Resolves after `ms`, or with an interrupt. */
  wait(ms: number): Promise<void> {
    if (this.#stopped) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const cancel = realTimers.set(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  /** A tool runs in a session of its own, and outlives an interrupt. */
  async run(): Promise<void> {
    this.#tool = spawn('sleep', [`61.${process.ppid}`], { stdio: 'ignore', detached: true });
    this.#tool.unref();
    say(command.say('item/started', this, (params) => fieldsOf(params['item'])['type'] === 'commandExecution'));
    await this.wait(600_000);
  }

  /** A command that outlives its turn. */
  background(): void {
    say(this.#command('item/started'));
  }

  #command(method: string): object {
    return command.say(method, this, (params) => fieldsOf(params['item'])['type'] === 'commandExecution');
  }

  count(): void {
    this.speak(`interrupts: ${this.#interrupts}`);
  }

  clean(): void {
    if (this.#tool?.pid !== undefined) {
      process.kill(-this.#tool.pid, 'SIGKILL');
    }
    this.#tool = null;
    if (!this.is('late-item')) {
      return;
    }
    say(command.say('item/completed', this, (params) => fieldsOf(params['item'])['type'] === 'commandExecution'));
  }

  /** False: it is to be refused, as by one that runs no turn. */
  interrupt(): boolean {
    this.#interrupts += 1;
    const refusals = Number(this.has('refuse') ?? 0);
    // Before the turn has begun, the real one refuses and runs on.
    if (!this.#started) {
      this.speak('lost ');
    }
    if (!this.#started || this.#interrupts <= refusals) {
      return false;
    }
    const [ack, ms = '30'] = (this.has('ack') ?? 'now').split(':');
    const stop = (): void => {
      this.#stopped = true;
      this.#wake();
    };
    if (this.has('merged') === 'end') {
      voice.hold();
    }
    if (ack === 'now') {
      this.#player.ack();
    }
    if (ack === 'late') {
      realTimers.set(Number(ms), () => this.#player.ack());
    }
    if (ack === 'before') {
      this.#player.ack();
      realTimers.set(Number(ms), stop);
    } else if (ack === 'late') {
      realTimers.set(Number(ms) + 1, stop);
    } else {
      stop();
    }
    return true;
  }

  #ended(status: 'completed' | 'interrupted'): Frame {
    const from = status === 'completed' ? answer : interrupted;
    const frame = from.say('turn/completed', this);
    const turn = fieldsOf(fieldsOf(frame['params'])['turn']);
    const items = !this.is('empty') && status === 'completed' ? turn['items'] : [];
    return { ...frame, params: { ...fieldsOf(frame['params']), turn: { ...turn, items } } };
  }

  /** The recorded end of a turn that failed so, with what came before it. */
  async fail(name: string): Promise<void> {
    const recorded = new Recorded(name);
    for (const frame of recorded.frames) {
      const turn = fieldsOf(fieldsOf(frame['params'])['turn']);
      if (frame['method'] === 'error') {
        say(fieldsOf(recorded.about(frame, this)));
      }
      if (frame['method'] === 'turn/completed' && turn['status'] === 'failed') {
        this.#over = true;
        this.#player.settled(this);
        say(fieldsOf(recorded.about(frame, this)));
      }
    }
  }

  ask(how: string): Promise<void> {
    say(denied.say('item/started', this, (params) => fieldsOf(params['item'])['type'] === 'commandExecution'));
    const id = this.#player.request('item/commandExecution/requestApproval', (method, about) =>
      denied.say(method, about),
    );
    if (how === 'withdrawn') {
      this.#player.forget(id);
      say(denied.say('serverRequest/resolved', this, undefined, { requestId: id }));
      return Promise.resolve();
    }
    return this.#player.answered(id).then((decision) => {
      say(denied.say('serverRequest/resolved', this, undefined, { requestId: id }));
      if (decision === 'cancel') {
        this.#stopped = true;
      } else {
        this.speak(`it was ${String(decision)} `);
      }
    });
  }
}

type Act = (turn: Turn, argument: string) => Promise<void> | void;

/** What a directive does at its place; the others colour the whole turn. */
const acts: { readonly [name: string]: Act } = {
  ...faults(voice),
  text: (turn, text) => turn.speak(text),
  stream: (turn, argument) => turn.stream(argument),
  forever: (turn) => turn.stream('1000000,2'),
  silent: (turn) => turn.wait(600_000),
  count: (turn) => turn.count(),
  empty: () => {},
  tool: (turn) => turn.run(),
  ask: (turn, how) => turn.ask(how),
  background: (turn) => turn.background(),
  api: (turn, name) => turn.fail(`api-${name}`),
  // The first try fails, as recorded; the second one is the answer.
  retried(turn) {
    say(new Recorded('api-429-once').say('error', turn));
    turn.speak('well again');
  },
  history(turn) {
    turn.speak(JSON.stringify(players.history()));
  },
  odd: (turn) =>
    players
      .current()
      .answered(
        players
          .current()
          .request('item/levitate', (method) => ({ method, params: { threadId: turn.thread, turnId: turn.id } })),
      ) as Promise<void>,
  'stray-ask': (turn) =>
    players
      .current()
      .answered(
        players
          .current()
          .request('item/commandExecution/requestApproval', (method, about) =>
            command.say(method, { ...about, turn: randomUUID() }),
          ),
      )
      .then((decision) => turn.speak(`stray: ${String(decision)}`)),
  garbage(turn) {
    for (const bytes of garbage) {
      voice.raw(bytes);
    }
    const splendid = { threadId: turn.thread, turn: { id: turn.id, status: 'splendid' } };
    say({ method: 'turn/completed', params: splendid });
  },
  half(turn) {
    voice.raw(JSON.stringify(answer.say('turn/completed', turn)).slice(0, 40));
    process.exit(1);
  },
  merged() {
    // Said before the turn began: see `Player.start`.
  },
};

class Player {
  thread = '';
  #turn: Turn | null = null;
  #last: Turn | null = null;
  #past: Past[] = [];
  #requests = 0;
  readonly #answers = new Map<number, (decision: unknown) => void>();
  #interruptId: unknown = null;

  hear(frame: Frame): void {
    const { id, method } = frame;
    if (typeof method === 'string') {
      this.#call(method, id, fieldsOf(frame['params']));
    } else {
      this.#answers.get(Number(id))?.(fieldsOf(frame['result'])['decision'] ?? 'refused');
    }
  }

  history(): readonly Past[] {
    return this.#past;
  }

  request(method: string, make: (method: string, about: Named) => object): number {
    const id = this.#requests;
    this.#requests += 1;
    say({ ...make(method, { thread: this.thread, turn: this.#turn?.id ?? '' }), id });
    return id;
  }

  forget(id: number): void {
    this.#answers.delete(id);
  }

  answered(id: number): Promise<unknown> {
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
    });
  }

  ack(): void {
    say({ id: this.#interruptId, result: {} });
  }

  settled(turn: Turn): void {
    if (this.#turn === turn) {
      this.#turn = null;
    }
    this.#last = turn;
    this.#save();
  }

  /** A turn that nobody asked for. */
  volunteer(): void {
    const about = { thread: this.thread, turn: randomUUID() };
    realTimers.set(5, () => say(answer.say('turn/started', about)));
    realTimers.set(10, () => say(answer.say('turn/completed', about)));
  }

  #call(method: string, id: unknown, params: Fields): void {
    const refusal = failing.get(method);
    if (refusal !== undefined) {
      say({ id, error: { code: -32_600, message: refusal } });
    } else if (calls[method] !== undefined) {
      calls[method](this, id, params);
    } else if (id !== undefined) {
      say({ id, error: { code: -32_600, message: `unknown method ${method}` } });
    }
  }

  open(id: unknown, wanted: string | null): void {
    const file = wanted === null || stateFolder === null ? null : join(stateFolder, `${wanted}.json`);
    const known = file !== null && /^[\w-]+$/.test(wanted ?? '') && existsSync(file);
    if (wanted !== null && !known) {
      say({ ...new Recorded('lost').frames.find((frame) => 'error' in frame), id });
      return;
    }
    this.thread = wanted ?? randomUUID();
    if (known) {
      this.#past = JSON.parse(readFileSync(file, 'utf8')) as Past[];
    }
    this.#save();
    const about = { thread: this.thread, turn: '' };
    say({ id, result: answer.about(answer.result('thread'), about) });
  }

  start(id: unknown, params: Fields): void {
    const [input] = params['input'] as readonly Fields[];
    const turn = new Turn(this, textOf(input?.['text']));
    if (turn.has('merged') === '') {
      voice.hold();
    }
    this.#turn = turn;
    const clientId = textOf(params['clientUserMessageId']);
    const prompt = textOf(input?.['text']).replace(/\$a-skill\b/g, 'the file of a skill');
    this.#past.push({ id: turn.id, clientId, prompt });
    this.#save();
    const response = { id, result: answer.about(answer.result('turn'), turn) };
    if (turn.is('early-started')) {
      say(answer.say('turn/started', turn));
    }
    say(response);
    void turn.play();
  }

  interrupt(id: unknown, params: Fields): void {
    const turn = this.#turn;
    if (turn?.is('deaf') === true) {
      return;
    }
    this.#interruptId = id;
    const refused = { id, error: { code: -32_600, message: 'no active turn to interrupt' } };
    if (turn === null || turn.id !== params['turnId'] || !turn.interrupt()) {
      say(refused);
    }
    if (turn?.is('crossing') === true) {
      void turn.end('completed').then(() => say(refused));
    }
  }

  steer(id: unknown, params: Fields): void {
    const taken = this.#turn !== null && this.#turn.id === params['expectedTurnId'];
    if (taken) {
      say({ id, result: { turnId: this.#turn?.id } });
    } else {
      say({ id, error: { code: -32_600, message: 'no active turn to steer' } });
    }
  }

  clean(id: unknown): void {
    this.#last?.clean();
    if (this.#last?.is('noclean') !== true) {
      say({ id, result: {} });
    }
  }

  list(id: unknown): void {
    const data = this.#past.map((one) => ({ id: one.id, items: [{ type: 'userMessage', clientId: one.clientId }] }));
    say({ id, result: { data: data.toReversed(), nextCursor: null } });
  }

  revert(id: unknown, before: unknown): void {
    const at = this.#past.findIndex((one) => one.id === before);
    if (at === -1) {
      say({ id, error: { code: -32_600, message: `turn not found: ${textOf(before)}` } });
      return;
    }
    this.#past.splice(at);
    this.#save();
    say({ id, result: {} });
  }

  #save(): void {
    if (stateFolder === null || this.thread === '') {
      return;
    }
    mkdirSync(stateFolder, { recursive: true });
    writeFileSync(join(stateFolder, `${this.thread}.json`), JSON.stringify(this.#past));
  }
}

type Call = (player: Player, id: unknown, params: Fields) => void;

const calls: { readonly [method: string]: Call } = {
  initialize(_player, id) {
    if (flag('--no-ready') === null) {
      say({ id, result: answer.result('userAgent') });
    }
  },
  initialized: () => {},
  'config/read': (_player, id) => say({ id, result: { config: { model: 'fake-model' } } }),
  'skills/list': (_player, id) =>
    say({ id, result: { data: [{ cwd: '/', skills: [{ name: 'a-skill' }], errors: [] }] } }),
  'thread/start': (player, id) => player.open(id, null),
  'thread/resume': (player, id, params) => player.open(id, textOf(params['threadId'])),
  'turn/start': (player, id, params) => player.start(id, params),
  'turn/interrupt': (player, id, params) => player.interrupt(id, params),
  'turn/steer': (player, id, params) => player.steer(id, params),
  'thread/backgroundTerminals/clean': (player, id) => player.clean(id),
  'thread/turns/list': (player, id) => player.list(id),
  'thread/revert': (player, id, params) => player.revert(id, params['beforeTurnId']),
};

const player = new Player();
const players = { current: (): Player => player, history: (): readonly Past[] => player.history() };

createInterface({ input: process.stdin })
  .on('line', (line) => player.hear(JSON.parse(line) as Frame))
  .on('close', () => {
    if (!refuses.eof) {
      process.exit(0);
    }
    realTimers.set(600_000, () => {});
  });
endOnSigterm();

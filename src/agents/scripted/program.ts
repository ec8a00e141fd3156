/**
 * The scripted agent: a program that speaks the agent protocol and does what it is told. Everybody's test agent, the
 * demo's agent, and what answers until a real one is configured.
 *
 * Owns: stdin, stdout, the one running turn. Ends when stdin ends: that is how it learns that its daemon is gone.
 */
import { LineSplitter } from '../../supervise/channel/lines.ts';
import type { FromAgent, ToAgent } from '../process/wire.ts';
import { Conversation } from './conversation.ts';
import { mannerOf, parseDirectives } from './directives.ts';
import { AgentLog } from './log.ts';
import { willful } from './misbehave.ts';
import type { ScriptedFlags } from './options.ts';
import { parseFlags, usage } from './options.ts';
import { Script } from './script.ts';
import { Turn } from './turn.ts';
import { Voice } from './voice.ts';

const lineMaxBytes = 256 * 1024 * 1024;

/** Runs on the process's own stdio until it is told to leave. Wrong flags or a wrong script: exit code 2. */
export function runScriptedAgent(args: readonly string[]): void {
  const flags = parseFlags(args, process.env);
  if (flags === null) {
    process.stdout.write(usage);
    return;
  }
  try {
    if (typeof flags === 'string') {
      throw new Error(flags);
    }
    new Program(flags).run();
  } catch (error) {
    process.stderr.write(`scripted agent: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}

class Program {
  readonly #flags: ScriptedFlags;
  readonly #script: Script;
  readonly #log: AgentLog;
  readonly #voice = new Voice();
  #conversation: Conversation | null = null;
  #turn: Turn | null = null;
  #model: string | null = null;
  /** Turns that got their result: a late interrupt for one is acknowledged without `none`. */
  #lastEnded = 0;

  constructor(flags: ScriptedFlags) {
    this.#flags = flags;
    this.#script = new Script(flags.script);
    this.#log = new AgentLog(flags.log);
  }

  run(): void {
    const lines = new LineSplitter(lineMaxBytes, (frame) => {
      if (frame.kind === 'line' && frame.text !== '') {
        this.#receive(JSON.parse(frame.text) as ToAgent);
      }
    });
    process.stdin.on('data', (chunk: Buffer) => lines.push(chunk));
    process.stdin.on('end', () => this.#leave('stdin ended', 0, willful.ignoreEof));
    process.stdout.on('error', () => this.#leave('stdout broke', 1, willful.hungUp));
    process.on('SIGTERM', () => this.#leave('SIGTERM', 143, willful.ignoreTerm));
  }

  #receive(message: ToAgent): void {
    switch (message.type) {
      case 'start':
        this.#start(message);
        return;
      case 'prompt':
        this.#prompt(message);
        return;
      case 'interrupt':
        this.#log.write('interrupt', { turn: message.turn });
        if (this.#turn?.id === message.turn) {
          this.#turn.interrupt();
        } else {
          this.#ackIdle(message.turn);
        }
        return;
      case 'steer': {
        const taken = this.#flags.steer && this.#turn?.id === message.turn && !this.#turn.stopped;
        this.#log.write('steer', { turn: message.turn, taken });
        this.#voice.say({ type: 'steered', turn: message.turn, id: message.id, taken });
        if (taken) {
          this.#turn?.steer(message.text);
        }
        return;
      }
      case 'answer':
        if (this.#turn?.id === message.turn) {
          this.#turn.answered(message.request, message);
        }
        return;
      case 'model':
        this.#switchModel(message.model);
        return;
      case 'close':
        this.#leave('close', 0, willful.ignoreEof);
        return;
    }
  }

  #start(message: Extract<ToAgent, { type: 'start' }>): void {
    const { noReady, slowStartMs, state, acks, steer, rewind, models } = this.#flags;
    this.#log.serve(message.session, message.incarnation, message.conversation);
    const conversation = Conversation.open(state, message.conversation);
    this.#conversation = conversation;
    this.#model = message.model;
    const start = this.#script.startOf(message.session);
    if (start === 'die') {
      this.#leave('the script says so', 1, false);
    }
    if (start === 'garbage') {
      this.#voice.raw('not a message\n\u0000\u001b[2J\n{"type":"ready\n');
    }
    if (noReady || start !== null) {
      return;
    }
    const ready: FromAgent = {
      type: 'ready',
      conversation: conversation.id,
      ...(conversation.lost ? { lost: true } : {}),
      capabilities: { acks, steer, rewind, models: models !== false },
    };
    if (slowStartMs > 0) {
      setTimeout(() => this.#voice.say(ready), slowStartMs);
    } else {
      this.#voice.say(ready);
    }
  }

  #prompt({ turn: id, text, rewind }: Extract<ToAgent, { type: 'prompt' }>): void {
    if (this.#turn !== null) {
      // One message in flight is the daemon's promise. A breach of it must show.
      this.#log.write('prompt', { turn: id, busy: this.#turn.id });
      this.#voice.say({
        type: 'result',
        turn: id,
        outcome: 'failed',
        text: '',
        error: { code: 'busy', turn: this.#turn.id },
      });
      return;
    }
    // Before the conversation is kept on disk: the line says when the prompt was read.
    this.#log.write('prompt', { turn: id, length: text.length });
    const conversation = (this.#conversation ??= Conversation.open(this.#flags.state, null));
    if (rewind !== undefined) {
      conversation.rewind(rewind);
    }
    const directives = parseDirectives(this.#script.textFor(text));
    const { acks, chunkMs } = this.#flags;
    const manner = mannerOf(directives, acks);
    const tools = { voice: this.#voice, log: this.#log, conversation, acks, chunkMs, model: this.#model };
    const turn = new Turn(id, manner, conversation.begin(id, text), tools);
    this.#turn = turn;
    void turn.play(directives, text).then(() => {
      this.#turn = null;
      this.#lastEnded = id;
      this.#volunteer(turn);
    });
  }

  #switchModel(model: string | null): void {
    const { models } = this.#flags;
    const ok = models === true || (models !== false && (model === null || models.includes(model)));
    if (ok) {
      this.#model = model;
    }
    this.#log.write('model', { model, ok });
    this.#voice.say({ type: 'switched', model, ok });
  }

  /** Nothing runs under that number: the receipt is all there is. */
  #ackIdle(turn: number): void {
    if (!this.#flags.acks) {
      return;
    }
    this.#voice.say({ type: 'ack', turn, ...(turn === this.#lastEnded ? {} : { none: true }) });
    this.#log.write('ack', { turn, idle: true });
  }

  #volunteer({ manner }: Turn): void {
    const { unsolicited } = manner;
    if (unsolicited === null) {
      return;
    }
    setTimeout(() => {
      this.#voice.say({ type: 'unsolicited', phase: 'began', data: { why: 'a background job has ended' } });
      if (unsolicited.lastsMs < 0) {
        return;
      }
      setTimeout(() => {
        this.#voice.say({ type: 'unsolicited', phase: 'ended', data: { text: 'noted' } });
      }, unsolicited.lastsMs);
    }, unsolicited.afterMs);
  }

  #leave(why: string, code: number, refuse: boolean): void {
    this.#log.write('exiting', { why, refused: refuse });
    if (refuse) {
      // With stdin at its end nothing else would keep the loop alive.
      setTimeout(() => {}, 600_000);
      return;
    }
    process.exit(code);
  }
}

/**
 * The scripted agent: a program that speaks the agent protocol and follows directives. It is the agent of the tests and of the
 * demo, and answers until a real one is configured.
 *
 * Owns: stdin, stdout, the turn that runs. It ends when stdin ends, since its daemon is gone then.
 */
import { LineSplitter } from '../../../supervise/channel/lines.ts';
import type { FromAgent, ToAgent } from '../../process/wire.ts';
import { Conversation } from './conversation.ts';
import { behaviourOf, parseDirectives } from './directives.ts';
import { AgentLog } from './log.ts';
import { refusals } from './misbehaviour-directives.ts';
import type { ScriptedFlags } from './flags.ts';
import { parseFlags, usage } from './flags.ts';
import { Script } from './script.ts';
import { steps } from './steps.ts';
import { Turn } from './turn.ts';
import { Stdout } from './stdout.ts';

const lineMaxBytes = 256 * 1024 * 1024;

/** Runs on the stdio of this process until it has to exit. Wrong flags or a wrong script: exit code 2. */
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
  readonly #stdout = new Stdout();
  #conversation: Conversation | null = null;
  #turn: Turn | null = null;
  #model: string | null = null;
  /** The last turn that got a result: a late interrupt for it is acknowledged without `noResult`. */
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
    process.stdin.on('end', () => this.#exit('stdin ended', 0, refusals.ignoreEof));
    process.stdout.on('error', () => this.#exit('stdout broke', 1, refusals.hungUp));
    process.on('SIGTERM', () => this.#exit('SIGTERM', 143, refusals.ignoreTerm));
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
        const delivered = this.#flags.steer && this.#turn?.id === message.turn && !this.#turn.stopped;
        this.#log.write('steer', { turn: message.turn, delivered });
        this.#stdout.say({ type: 'steered', turn: message.turn, id: message.id, delivered });
        if (delivered) {
          this.#turn?.steer(message.text);
        }
        return;
      }
      case 'permission-resolved':
        if (this.#turn?.id === message.turn) {
          this.#turn.resolved(message.request, message);
        }
        return;
      case 'model':
        this.#switchModel(message.model);
        return;
      case 'close':
        this.#exit('close', 0, refusals.ignoreEof);
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
      this.#exit('scripted', 1, false);
    }
    if (start === 'garbage') {
      this.#stdout.raw('not a message\n\u0000\u001b[2J\n{"type":"ready\n');
    }
    if (noReady || start !== null) {
      return;
    }
    const ready: FromAgent = {
      type: 'ready',
      conversation: conversation.id,
      ...(conversation.isReset ? { conversationReset: true } : {}),
      capabilities: { acks, steer, rewind, models: models !== false },
    };
    if (slowStartMs > 0) {
      setTimeout(() => this.#stdout.say(ready), slowStartMs);
    } else {
      this.#stdout.say(ready);
    }
  }

  #prompt({ turn: id, text, rewind }: Extract<ToAgent, { type: 'prompt' }>): void {
    if (this.#turn !== null) {
      // The daemon sends one prompt at a time. A breach must be visible.
      this.#log.write('prompt', { turn: id, busy: this.#turn.id });
      this.#stdout.say({
        type: 'result',
        turn: id,
        outcome: 'failed',
        text: '',
        error: { code: 'busy', turn: this.#turn.id },
      });
      return;
    }
    // Before the conversation is written: the line says when the prompt was read.
    this.#log.write('prompt', { turn: id, length: text.length });
    const conversation = (this.#conversation ??= Conversation.open(this.#flags.state, null));
    if (rewind !== undefined) {
      conversation.rewind(rewind);
    }
    const directives = parseDirectives(this.#script.textFor(text));
    const { acks, chunkMs } = this.#flags;
    const behaviour = behaviourOf(directives, acks);
    const tools = { stdout: this.#stdout, log: this.#log, conversation, acks, chunkMs, model: this.#model };
    const turn = new Turn(id, behaviour, conversation.begin(id, text), tools);
    this.#turn = turn;
    void turn.play(steps, directives, text).then(() => {
      this.#turn = null;
      this.#lastEnded = id;
      this.#beginUnsolicited(turn);
    });
  }

  #switchModel(model: string | null): void {
    const { models } = this.#flags;
    const ok = models === true || (models !== false && (model === null || models.includes(model)));
    if (ok) {
      this.#model = model;
    }
    this.#log.write('model', { model, ok });
    this.#stdout.say({ type: 'switched', model, ok });
  }

  /** No turn of that number runs: there is nothing but the acknowledgement. */
  #ackIdle(turn: number): void {
    if (!this.#flags.acks) {
      return;
    }
    this.#stdout.say({ type: 'ack', turn, ...(turn === this.#lastEnded ? {} : { noResult: true }) });
    this.#log.write('ack', { turn, idle: true });
  }

  #beginUnsolicited({ behaviour }: Turn): void {
    const { unsolicited } = behaviour;
    if (unsolicited === null) {
      return;
    }
    setTimeout(() => {
      this.#stdout.say({ type: 'unsolicited', phase: 'began', data: { why: 'a background job has ended' } });
      if (unsolicited.lastsMs < 0) {
        return;
      }
      setTimeout(() => {
        this.#stdout.say({ type: 'unsolicited', phase: 'ended', data: { text: 'noted' } });
      }, unsolicited.lastsMs);
    }, unsolicited.afterMs);
  }

  #exit(why: string, code: number, refuse: boolean): void {
    this.#log.write('exiting', { why, refused: refuse });
    if (refuse) {
      // With stdin ended, nothing else keeps the loop alive.
      setTimeout(() => {}, 600_000);
      return;
    }
    process.exit(code);
  }
}

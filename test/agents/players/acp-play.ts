/** One turn of the player, from its prompt to its end. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type * as acp from '@agentclientprotocol/sdk';
import type { Stdout } from '../../../src/agents/scripted/program/stdout.ts';
import { pause, realTimers } from '../../../src/supervise/timers.ts';
import type { Directive } from './directives.ts';
import type { Dialect, Failing, Speaker } from './acp-dialects.ts';

/** What a directive does at its place. */
export type Act = (play: Play, argument: string) => Promise<void> | void;

interface PlayOptions {
  readonly voice: Stdout;
  readonly say: (message: object) => void;
  readonly dialect: Dialect;
  readonly client: acp.AgentContext;
  readonly session: string;
  readonly turn: number;
  readonly id: acp.JsonRpcId;
  readonly text: string;
  readonly past: { readonly prompts: readonly string[] };
}

export class Play implements Speaker {
  readonly options: PlayOptions;
  readonly signs = new Map<string, string>();
  over = false;
  cancelled = false;
  /** Members of the response in place of the usual ones. */
  ending: object = {};
  #wake = (): void => {};
  #tool: ChildProcess | null = null;
  #steered = false;

  constructor(options: PlayOptions) {
    this.options = options;
  }

  async run(acts: { readonly [name: string]: Act }, directives: readonly Directive[]): Promise<void> {
    for (const { name, argument } of directives) {
      this.signs.set(name, argument);
    }
    if (this.signs.get('merged') === '') {
      this.options.voice.hold();
    }
    const plain = directives.every(({ name }) => acts[name] === undefined);
    for (const { name, argument } of plain ? [{ name: 'stream', argument: '3,1' }] : directives) {
      if (this.over || (this.cancelled && !this.signs.has('deaf'))) {
        break;
      }
      await acts[name]?.(this, argument);
    }
    if (!this.over) {
      await this.#end();
    }
  }

  cancel(): void {
    if (this.signs.has('deaf')) {
      return;
    }
    this.cancelled = true;
    this.#wake();
  }

  /** False: no turn runs that could take it. */
  steer(): boolean {
    this.#steered = true;
    return !this.cancelled && !this.over;
  }

  get steered(): boolean {
    return this.#steered;
  }

  update(update: object): void {
    this.options.say({ method: 'session/update', params: { sessionId: this.options.session, update } });
  }

  speak(text: string): void {
    const { piece } = this.options.dialect;
    this.update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text }, ...piece });
  }

  async stream(argument: string): Promise<void> {
    const [count = 3, ms = 1] = argument.split(',').map(Number);
    for (let piece = 1; piece <= count && !this.cancelled; piece += 1) {
      this.speak(`piece ${piece} `);
      await this.wait(ms);
    }
  }

  /** Resolves after `ms`, or with a cancel. */
  wait(ms: number): Promise<void> {
    if (this.cancelled) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const stop = realTimers.set(ms, resolve);
      this.#wake = () => {
        stop();
        resolve();
      };
    });
  }

  result(result: object): void {
    this.over = true;
    this.options.say({ id: this.options.id, result });
  }

  error(error: object): void {
    this.over = true;
    this.options.say({ id: this.options.id, error });
  }

  fail(how: Failing): void {
    this.options.dialect.fail(this, how);
  }

  /** A tool in a session of its own, ended with the turn. */
  async work(): Promise<void> {
    this.#tool = spawn('sleep', [`61.${process.ppid}`], { stdio: 'ignore', detached: true });
    const call = this.options.dialect.toolCall('tool-1', `sleep 61.${process.ppid}`);
    this.update({ sessionUpdate: 'tool_call', ...call, status: 'in_progress' });
    await this.wait(600_000);
    this.#endTool();
    this.update({ sessionUpdate: 'tool_call_update', toolCallId: 'tool-1', status: 'failed' });
  }

  /** Whether it was allowed; null: it was cancelled. */
  async permission(command: string, more: object = {}): Promise<boolean | null> {
    const options: acp.PermissionOption[] = [
      { optionId: 'always', kind: 'allow_always', name: 'Always allow' },
      { optionId: 'once', kind: 'allow_once', name: 'Allow once' },
      { optionId: 'never', kind: 'reject_always', name: 'Never' },
      { optionId: 'no', kind: 'reject_once', name: 'Reject' },
    ];
    const toolCall = { ...this.options.dialect.toolCall('call-1', command), ...more } as acp.ToolCallUpdate;
    const params = { sessionId: this.options.session, toolCall, options };
    const { client } = this.options;
    const { outcome } = await client.request<acp.RequestPermissionResponse>('session/request_permission', params);
    if (outcome.outcome === 'cancelled') {
      return null;
    }
    // What holds on must not be chosen.
    if (outcome.optionId === 'always' || outcome.optionId === 'never') {
      process.exit(71);
    }
    return outcome.optionId === 'once';
  }

  async #end(): Promise<void> {
    const { options } = this;
    this.over = true;
    if (this.signs.has('noresult')) {
      await new Promise(() => {});
      return;
    }
    const stopReason = this.cancelled ? 'cancelled' : 'end_turn';
    const spent = options.dialect.spent(options.turn);
    const response = { id: options.id, result: { stopReason, ...spent, ...this.ending } };
    if (this.signs.has('split')) {
      await options.voice.sayInPieces({ jsonrpc: '2.0', ...response });
    } else {
      options.say(response);
    }
    if (this.signs.has('twice')) {
      options.say(response);
    }
    options.voice.release();
    if (this.signs.has('end-behind')) {
      process.exit(3);
    }
    await this.#trail(this.signs.get('tail') ?? '');
  }

  /** Words behind the response: `TIMES,MS`. */
  async #trail(argument: string): Promise<void> {
    const [times = 0, ms = 0] = argument.split(',').map(Number);
    for (let word = 1; word <= times; word += 1) {
      if (ms > 0) {
        await pause(realTimers, ms);
      }
      this.speak(`tail ${word} `);
    }
  }

  #endTool(): void {
    if (this.#tool?.pid !== undefined) {
      process.kill(-this.#tool.pid, 'SIGKILL');
    }
    this.#tool = null;
  }
}

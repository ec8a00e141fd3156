/** An agent that remembers a conversation, can rewind it, and says nothing until the test lets it. */
import type { AgentDriver, AgentEvent } from '../../src/agents/index.ts';
import type { ToolStatus } from '../../src/core/model/output.ts';
import type { TurnId } from '../../src/core/model/ids.ts';

/** A prompt that the agent has read. */
export interface ReadTurn {
  readonly prompt: string;
  /** It confirms the turn. */
  start(): void;
  answer(): void;
  /** Its model says a word. */
  say(): void;
  /** It begins to use a tool, or that ends. */
  tool(status: ToolStatus): void;
  /** Its process dies. */
  die(): void;
  /** Resolves when the agent has been asked to interrupt the turn. */
  readonly interrupted: Promise<void>;
  /** It has stopped as it was asked. */
  stop(): void;
}

export class RememberingAgent {
  /** The prompts that are in its conversation, which outlives its processes. */
  conversation: readonly { readonly turn: TurnId; readonly prompt: string }[] = [];
  readonly #read: ReadTurn[] = [];
  #waiting: ((turn: ReadTurn) => void) | null = null;

  /** The next prompt that it reads. */
  turn(): Promise<ReadTurn> {
    const next = this.#read.shift();
    return next === undefined ? new Promise((resolve) => (this.#waiting = resolve)) : Promise.resolve(next);
  }

  get prompts(): readonly string[] {
    return this.conversation.map(({ prompt }) => prompt);
  }

  readonly driver: AgentDriver = {
    name: 'remembering',
    provider: 'none',
    needsFolder: false,
    start: ({ emit }) => {
      const soon = (...events: readonly AgentEvent[]): void => queueMicrotask(() => events.forEach(emit));
      const exited = (): void => soon({ type: 'exited', reason: 'closed', data: null });
      const caps = { acks: true, steer: false, rewind: true, models: false, keepsPrompts: true };
      let interrupt = (): void => {};
      soon({ type: 'ready', caps, conversation: 'one', conversationReset: false });
      return {
        prompt: (turn, prompt, { rewind }) => {
          const kept = this.conversation.filter((one) => rewind === null || one.turn < rewind);
          this.conversation = [...kept, { turn, prompt }];
          const result = { outcome: 'completed', empty: false, failure: null, report: { text: 'done' } } as const;
          const stopped = { outcome: 'interrupted', empty: true, failure: null, report: { text: '' } } as const;
          const interrupted = new Promise<void>((resolve) => {
            interrupt = resolve;
          });
          const stop = (): void =>
            soon({ type: 'ack', turn, noResult: false }, { type: 'result', turn, result: stopped });
          const start = (): void => soon({ type: 'started', turn });
          const answer = (): void => soon({ type: 'started', turn }, { type: 'result', turn, result });
          const say = (): void => soon({ type: 'output', turn, part: { kind: 'text', text: 'word' } });
          const tool = (status: ToolStatus): void =>
            soon({
              type: 'output',
              turn,
              part: { kind: 'tool', id: 't1', name: 'shell', action: 'execute', title: 'make', status },
            });
          this.#arrives({ prompt, start, answer, say, tool, die: exited, interrupted, stop });
        },
        respond: () => {},
        interrupt: () => interrupt(),
        steer: () => {},
        switchModel: () => {},
        close: exited,
        kill: exited,
      };
    },
  };

  #arrives(turn: ReadTurn): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) {
      this.#read.push(turn);
    } else {
      waiting(turn);
    }
  }
}

/** A daemon with the scripted agent, seen from its door and from the log of its agents: the times in that are the agents' own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentLogReader } from './agent-log.ts';
import { type Program, startProgram } from './child.ts';
import { Connection } from './connection.ts';

export class ScriptedDaemon implements AsyncDisposable {
  readonly log: AgentLogReader;
  readonly #program: Program;
  readonly #token: string;

  private constructor(program: Program, log: AgentLogReader, token: string) {
    this.#program = program;
    this.log = log;
    this.#token = token;
  }

  /** `settings`: beside those that every row of preemptions needs. */
  static async start(folder: string, settings: object = {}): Promise<ScriptedDaemon> {
    const log = `${folder}-agents.log`;
    const program = await startProgram('daemon', {
      folder,
      settings: {
        durability: 'power',
        agent: { name: 'scripted', args: ['--log', log] },
        'limits.maxPassedOver': 1_000,
        ...settings,
      },
    });
    return new ScriptedDaemon(program, new AgentLogReader(log), readFileSync(join(folder, 'token'), 'utf8').trim());
  }

  get pid(): number {
    return this.#program.pid;
  }

  connect(): Promise<Connection> {
    return Connection.open(String(this.#program.hello['url']), this.#token);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.log[Symbol.dispose]();
    await this.#program[Symbol.asyncDispose]();
  }
}

/** The agents of a runtime by their names, and which one a session gets. */
import type { AgentDriver } from '../agents/port.ts';
import { AppError } from '../core/errors.ts';
import type { Assigned, Session } from '../core/model/session.ts';

export interface FleetOptions {
  readonly drivers: { readonly [name: string]: AgentDriver };
  /** The agent of a session whose first sender names none. */
  readonly usual: (session: string) => Assigned;
  /** A session whose agent is not there any more gets the usual one. Default: a person has to say. */
  readonly follows?: boolean;
}

type Holder = Pick<Session, 'key' | 'assigned'>;

export class Fleet {
  readonly #drivers: ReadonlyMap<string, AgentDriver>;
  readonly #usual: FleetOptions['usual'];
  readonly #follows: boolean;

  /** One driver is a fleet of one, which every session follows. */
  constructor(agents: AgentDriver | FleetOptions) {
    const options: FleetOptions =
      'start' in agents
        ? { drivers: { [agents.name]: agents }, usual: () => ({ agent: agents.name, model: null }), follows: true }
        : agents;
    this.#drivers = new Map(Object.entries(options.drivers));
    this.#usual = options.usual;
    this.#follows = options.follows ?? false;
  }

  get names(): readonly string[] {
    return [...this.#drivers.keys()];
  }

  has(name: string): boolean {
    return this.#drivers.has(name);
  }

  usual(session: string): Assigned {
    return this.#usual(session);
  }

  /** What a session gets that has an agent which is not there any more; null: a person has to say. */
  successorOf({ key, assigned }: Holder): Assigned | null {
    return assigned === null || this.has(assigned.agent) || !this.#follows ? null : this.usual(key);
  }

  /** Throws `unknown_agent`. `name`: null: that of a session which remembers none. */
  driver(session: string, name: string | null): AgentDriver {
    const wanted = name ?? this.usual(session).agent;
    const driver = this.#drivers.get(wanted);
    if (driver === undefined) {
      const named = JSON.stringify(wanted);
      throw new AppError({
        code: 'unknown_agent',
        message: `the session has the agent ${named}, and there are: ${this.names.join(', ')}. Give it one of these: signalbox assign ${session} AGENT`,
      });
    }
    return driver;
  }

  /** Whom the requests of its agent go to. An agent that is not there asks nobody. */
  providerOf({ key, assigned }: Holder): string {
    const name = assigned?.agent ?? this.usual(key).agent;
    return this.#drivers.get(name)?.provider ?? name;
  }

  /** Each once, in the order of their agents. */
  providers(): readonly { readonly name: string; readonly agents: readonly string[] }[] {
    const found = new Map<string, string[]>();
    for (const [name, { provider }] of this.#drivers) {
      const agents = found.get(provider) ?? [];
      found.set(provider, [...agents, name]);
    }
    return [...found].map(([name, agents]) => ({ name, agents }));
  }
}

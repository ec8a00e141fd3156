/**
 * What an agent needs to call the API of its own daemon: a token for each agent that lives, so that what it sends is known as its own.
 *
 * Owned by one runtime. The hosts open one as their agent starts and close it as it is gone; the server asks whose a secret is. Nothing of it is
 * stored: an agent does not outlive its daemon.
 */
import type { Environment } from '../../supervise/process/environment.ts';
import type { SessionKey } from '../../core/model/ids.ts';

/** How an agent reaches the API. */
export interface AgentApi {
  /** Null: nothing listens yet. */
  readonly url: () => string | null;
  /** Makes a token that cannot be guessed. */
  readonly token: () => string;
}

export interface AgentToken {
  readonly env: Environment;
  close(): void;
}

const none: AgentToken = { env: {}, close() {} };

export class AgentTokens {
  readonly #api: AgentApi | null;
  readonly #sessions = new Map<string, SessionKey>();

  /** Null: there is no API. */
  constructor(api: AgentApi | null) {
    this.#api = api;
  }

  open(session: SessionKey): AgentToken {
    const url = this.#api?.url() ?? null;
    if (this.#api === null || url === null) {
      return none;
    }
    const token = this.#api.token();
    this.#sessions.set(token, session);
    return {
      env: { SIGNALBOX_URL: url, SIGNALBOX_TOKEN: token },
      close: () => void this.#sessions.delete(token),
    };
  }

  /** The session whose agent has this token; null: none that lives. */
  sessionOf(token: string): SessionKey | null {
    return this.#sessions.get(token) ?? null;
  }
}

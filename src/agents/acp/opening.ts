/**
 * From a new process to an open session: initialize, the login where it is asked for, the conversation, the model.
 *
 * Owns: nothing after it has called back. Calls back once; not at all when the channel breaks before.
 */
import { head, textAt } from '../child/fields.ts';
import { isFields } from '../child/json-lines.ts';
import type { JsonRpc, RpcError } from '../child/json-rpc.ts';
import { rpcCodes } from '../child/json-rpc.ts';
import type { FailureClass, ProviderFailure } from '../failures.ts';
import { FAILURES } from '../failures.ts';
import { failureOfError } from './failure.ts';
import type { AgentAbilities, ClientAbilities, Models } from './wire.ts';
import {
  acpCodes,
  initializeParams,
  newSessionParams,
  oldSessionParams,
  protocolVersion,
  readAbilities,
  readModels,
  switchCall,
  toAgent,
} from './wire.ts';

export interface Wanted {
  readonly client: ClientAbilities;
  readonly cwd: string;
  readonly conversation: string | null;
  /** To be set by protocol; null: the agent's own. */
  readonly model: string | null;
  readonly authMethod: string | null;
}

export interface Session {
  readonly id: string;
  readonly can: AgentAbilities;
  readonly models: Models | null;
  /** Why the conversation that was wanted could not be taken up; null: it was, or none was wanted. */
  readonly lost: string | null;
  /** The model that was wanted cannot be set by protocol. */
  readonly modelIgnored: boolean;
}

export type Opened =
  | { readonly kind: 'open'; readonly session: Session }
  /** The agent lives, and no turn can be taken: the first one will be told why. */
  | { readonly kind: 'hopeless'; readonly failure: ProviderFailure }
  /** It is no agent that we can talk to. */
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string; readonly hint: string };

/** A new session fails for these as any turn would: that is told by the turn, and may pass. */
const ofProvider: readonly FailureClass[] = ['auth', 'quota', 'rate_limit', 'overloaded', 'network'];

export function openSession(rpc: JsonRpc, wanted: Wanted, done: (opened: Opened) => void): void {
  new Opening(rpc, wanted, done).begin();
}

class Opening {
  readonly #rpc: JsonRpc;
  readonly #wanted: Wanted;
  readonly #done: (opened: Opened) => void;
  #can: AgentAbilities = { version: null, load: false, resume: false, steer: false };
  #authenticated = false;
  #lost: string | null = null;

  constructor(rpc: JsonRpc, wanted: Wanted, done: (opened: Opened) => void) {
    this.#rpc = rpc;
    this.#wanted = wanted;
    this.#done = done;
  }

  begin(): void {
    const params = initializeParams(this.#wanted.client);
    this.#ask(
      toAgent.initialize,
      params,
      (result) => this.#initialized(result),
      (error) => this.#refused(error),
    );
  }

  #initialized(result: unknown): void {
    this.#can = readAbilities(result);
    if (this.#can.version === protocolVersion) {
      this.#takeUp();
    } else {
      this.#fail(
        'protocol_mismatch',
        `it speaks version ${this.#can.version ?? 'unknown'} of the Agent Client Protocol, not ${protocolVersion}`,
        'Install a version of the agent that speaks it, or check that the command and its arguments start an ACP agent.',
      );
    }
  }

  #takeUp(): void {
    const { conversation, cwd } = this.#wanted;
    const method = this.#can.resume ? toAgent.resumeSession : this.#can.load ? toAgent.loadSession : null;
    if (conversation === null) {
      this.#begin();
    } else if (method === null) {
      this.#lost = 'it cannot take up a conversation';
      this.#begin();
    } else {
      const again = (): void => this.#takeUp();
      this.#ask(
        method,
        oldSessionParams(conversation, cwd),
        (result) => this.#entered(conversation, result),
        (error) => {
          if (this.#mayLogIn(error, again)) {
            return;
          }
          const failure = failureOfError(error);
          if (ofProvider.includes(failure.class)) {
            this.#done({ kind: 'hopeless', failure });
          } else {
            // Agents have no one way of saying that they do not know it: each says no, and a fresh one is what is left.
            this.#lost = failure.message;
            this.#begin();
          }
        },
      );
    }
  }

  #begin(): void {
    const again = (): void => this.#begin();
    this.#ask(
      toAgent.newSession,
      newSessionParams(this.#wanted.cwd),
      (result) => {
        const id = isFields(result) ? textAt(result, 'sessionId') : null;
        if (id !== null && id !== '') {
          this.#entered(id, result);
        } else {
          this.#refused({ code: rpcCodes.internal, message: 'session/new was answered without a sessionId' });
        }
      },
      (error) => {
        if (this.#mayLogIn(error, again)) {
          return;
        }
        const failure = failureOfError(error);
        if (ofProvider.includes(failure.class)) {
          this.#done({ kind: 'hopeless', failure });
        } else {
          this.#refused(error);
        }
      },
    );
  }

  /** Once, where a way was configured. */
  #mayLogIn(error: RpcError, again: () => void): boolean {
    const { authMethod } = this.#wanted;
    if (error.code !== acpCodes.authRequired || authMethod === null || this.#authenticated) {
      return false;
    }
    this.#authenticated = true;
    this.#ask(toAgent.authenticate, { methodId: authMethod }, again, (refusal) => {
      this.#done({ kind: 'hopeless', failure: { ...failureOfError(refusal), class: 'auth' } });
    });
    return true;
  }

  #entered(id: string, result: unknown): void {
    const models = readModels(result);
    const { model } = this.#wanted;
    const session = { id, can: this.#can, models, lost: this.#lost, modelIgnored: model !== null && models === null };
    if (model === null || models === null || models.current === model) {
      this.#done({ kind: 'open', session });
      return;
    }
    const { method, params } = switchCall(id, models, model);
    this.#ask(
      method,
      params,
      () => this.#done({ kind: 'open', session }),
      (error) => {
        const failure = failureOfError(error);
        const known = ofProvider.includes(failure.class) ? failure.class : 'model';
        this.#done({ kind: 'hopeless', failure: { ...failure, class: known } });
      },
    );
  }

  #refused(error: RpcError): void {
    const { class: kind, message } = failureOfError(error);
    this.#fail('start_refused', head(message, 500), FAILURES[kind].hint);
  }

  #fail(reason: string, message: string, hint: string): void {
    this.#done({ kind: 'failed', reason, message, hint });
  }

  #ask(method: string, params: object, result: (value: unknown) => void, error: (error: RpcError) => void): void {
    this.#rpc.call(method, params, (outcome) => {
      if (outcome.kind === 'result') {
        result(outcome.result);
      } else if (outcome.kind === 'error') {
        error(outcome.error);
      }
    });
  }
}

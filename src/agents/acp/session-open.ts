/**
 * Opens the session of a new process: initialize, the login where it is asked for, the conversation, the model.
 *
 * Owns: the wait for the end of a replay. Invariants:
 *  acp-session-open/1 It calls back once, and not at all when the channel breaks before.
 *  acp-session-open/2 A conversation that is taken up is replayed as updates. Where a program answers before it has
 *                     replayed, the session is open when no update has come for `replayQuietMs`.
 */
import type { Timers } from '../../supervise/index.ts';
import { head, textAt } from '../child/fields.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import type { JsonRpc, RpcError } from '../child/json-rpc.ts';
import { rpcCodes } from '../child/json-rpc.ts';
import type { FailureClass, ProviderFailure } from '../failures.ts';
import { failureRules } from '../failures.ts';
import { failureOfError } from './failures.ts';
import { type AgentAbilities, type Models, readAbilities, readModels } from './parse.ts';
import type { ClientAbilities } from './wire.ts';
import {
  acpCodes,
  initializeParams,
  newSessionParams,
  oldSessionParams,
  protocolVersion,
  switchCall,
  toAgent,
} from './wire.ts';

const replayQuietMs = 250;

interface SessionOpeningOptions {
  readonly rpc: JsonRpc;
  readonly timers: Timers;
  readonly client: ClientAbilities;
  readonly cwd: string;
  /** What the session is opened with beside the protocol; null: nothing. */
  readonly meta: Fields | null;
  /** To take up; null: a fresh one. */
  readonly conversation: string | null;
  /** To be set by protocol; null: the agent's own. */
  readonly model: string | null;
  readonly authMethod: string | null;
  /** The program answers `session/load` before it has replayed the conversation. */
  readonly replaysLate: boolean;
  readonly opened: (opened: Opened) => void;
}

export interface Session {
  readonly id: string;
  readonly can: AgentAbilities;
  readonly models: Models | null;
  /** Why the wanted conversation could not be taken up; null: it was, or none was wanted. */
  readonly lost: string | null;
  /** The wanted model cannot be set by protocol. */
  readonly modelIgnored: boolean;
}

export type Opened =
  | { readonly kind: 'open'; readonly session: Session }
  /** The agent lives, and cannot take a turn: the first turn fails so. */
  | { readonly kind: 'no-session'; readonly failure: ProviderFailure }
  /** We cannot talk to this program. */
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string; readonly hint: string };

/** A new session fails for these as any turn would, so the turn reports it, and it may be transient. */
const ofProvider: readonly FailureClass[] = ['auth', 'quota', 'rate_limit', 'overloaded', 'network'];

export class SessionOpening {
  readonly #options: SessionOpeningOptions;
  #can: AgentAbilities = { version: null, load: false, resume: false, steer: false };
  #authenticated = false;
  #lost: string | null = null;
  /** The open session, during its replay. */
  #replaying: Session | null = null;
  #cancelQuiet = (): void => {};

  constructor(options: SessionOpeningOptions) {
    this.#options = options;
    this.#ask(
      toAgent.initialize,
      initializeParams(options.client),
      (result) => this.#initialized(result),
      (error) => this.#refused(error),
    );
  }

  /** An update came: the past of the conversation. */
  updated(): void {
    if (this.#replaying !== null) {
      this.#awaitQuiet(this.#replaying);
    }
  }

  /** The channel has ended. */
  cancel(): void {
    this.#cancelQuiet();
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
    const { conversation, cwd, meta } = this.#options;
    const method = this.#can.resume ? toAgent.resumeSession : this.#can.load ? toAgent.loadSession : null;
    if (conversation === null) {
      this.#startFresh();
    } else if (method === null) {
      this.#lost = 'the agent cannot take up a conversation';
      this.#startFresh();
    } else {
      this.#ask(
        method,
        oldSessionParams(conversation, cwd, meta),
        (result) => this.#entered(conversation, result),
        (error) => {
          this.#sessionRefused(
            error,
            () => this.#takeUp(),
            // Each agent says in its own way that it does not know a conversation, so any refusal counts as that.
            (failure) => {
              this.#lost = failure.message;
              this.#startFresh();
            },
          );
        },
      );
    }
  }

  #startFresh(): void {
    this.#ask(
      toAgent.newSession,
      newSessionParams(this.#options.cwd, this.#options.meta),
      (result) => {
        const id = isFields(result) ? textAt(result, 'sessionId') : null;
        if (id !== null && id !== '') {
          this.#entered(id, result);
        } else {
          this.#refused({ code: rpcCodes.internal, message: 'session/new was answered without a sessionId' });
        }
      },
      (error) => {
        this.#sessionRefused(
          error,
          () => this.#startFresh(),
          () => this.#refused(error),
        );
      },
    );
  }

  /** `retry`: after a login. `otherwise`: it is not the provider that fails. */
  #sessionRefused(error: RpcError, retry: () => void, otherwise: (failure: ProviderFailure) => void): void {
    const { authMethod } = this.#options;
    if (error.code === acpCodes.authRequired && authMethod !== null && !this.#authenticated) {
      this.#authenticated = true;
      this.#ask(toAgent.authenticate, { methodId: authMethod }, retry, (refusal) =>
        this.#noSession({ ...failureOfError(refusal), class: 'auth' }),
      );
      return;
    }
    const failure = failureOfError(error);
    if (ofProvider.includes(failure.class)) {
      this.#noSession(failure);
    } else {
      otherwise(failure);
    }
  }

  #entered(id: string, result: unknown): void {
    const models = readModels(result);
    const { model } = this.#options;
    const session = { id, can: this.#can, models, lost: this.#lost, modelIgnored: model !== null && models === null };
    if (model === null || models === null || models.current === model) {
      this.#open(session);
      return;
    }
    const { method, params } = switchCall(id, models, model);
    this.#ask(
      method,
      params,
      () => this.#open(session),
      (error) => {
        const failure = failureOfError(error);
        this.#noSession({ ...failure, class: ofProvider.includes(failure.class) ? failure.class : 'model' });
      },
    );
  }

  #open(session: Session): void {
    const { conversation, replaysLate, opened } = this.#options;
    if (replaysLate && conversation !== null && session.lost === null) {
      this.#awaitQuiet(session);
    } else {
      opened({ kind: 'open', session });
    }
  }

  #awaitQuiet(session: Session): void {
    this.#replaying = session;
    this.#cancelQuiet();
    this.#cancelQuiet = this.#options.timers.set(replayQuietMs, () => {
      this.#replaying = null;
      this.#options.opened({ kind: 'open', session });
    });
  }

  #noSession(failure: ProviderFailure): void {
    this.#options.opened({ kind: 'no-session', failure });
  }

  #refused(error: RpcError): void {
    const { class: kind, message } = failureOfError(error);
    this.#fail('start_refused', head(message, 500), failureRules[kind].hint);
  }

  #fail(reason: string, message: string, hint: string): void {
    this.#options.opened({ kind: 'failed', reason, message, hint });
  }

  #ask(method: string, params: object, result: (value: unknown) => void, error: (error: RpcError) => void): void {
    this.#options.rpc.call(method, params, (outcome) => {
      if (outcome.kind === 'result') {
        result(outcome.result);
      } else if (outcome.kind === 'error') {
        error(outcome.error);
      }
    });
  }
}

/**
 * Who calls: bearer tokens and what each of them allows.
 *
 * Owns: the named tokens that this server knows, and the requests that are open under each. Called by: the server for every request, the handlers of the
 * token routes. Calls: the store, which has the tokens.
 *  tokens/1 A token that was revoked, or whose time is up, is refused, and what is open under it ends.
 *  tokens/2 No secret is stored, logged or shown again: only its digest.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { SessionKey } from '../core/model/ids.ts';
import type { NewToken, Scope, Token, TokenRequest } from '../protocol/index.ts';
import { globOf } from '../core/glob.ts';
import { ownTokenName } from '../protocol/index.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store, TokenRow } from '../store/port.ts';
import { ProblemError } from './respond.ts';

/** Who a request is from. */
export interface Caller {
  /** Of the token. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Patterns of the session keys that it is for; null: all. */
  readonly sessions: readonly string[] | null;
  /** Wall-clock ms at which its token ends; null: never by time. */
  readonly expiresAt: number | null;
  /** The session whose agent it is; null: it is none. */
  readonly agentOf: SessionKey | null;
}

const unbound = { sessions: null, expiresAt: null, agentOf: null } as const;

/** The daemon's own token, and where no token is asked for. */
export const daemonToken: Caller = { ...unbound, name: ownTokenName, scopes: ['admin'] };

/** Where no token is needed. */
export const stranger: Caller = { ...unbound, name: 'none', scopes: [] };

export const isDaemonToken = ({ name }: Caller): boolean => name === ownTokenName;

/** Whether the caller's token is for this session. */
export const isFor = ({ sessions }: Caller, key: string): boolean =>
  sessions === null || sessions.some((pattern) => globOf(pattern).test(key));

export type TokenStore = Pick<Store, 'tokens' | 'addToken' | 'removeToken'>;

interface Options {
  /** The daemon’s own tokens. None: everybody who reaches the address calls as if with one. */
  readonly own: readonly string[];
  /** Null: there are no named tokens. */
  readonly store: TokenStore | null;
  readonly clock: Clock;
  /** The session whose agent has this token; null: none that lives. */
  readonly agentOf: (token: string) => SessionKey | null;
}

/** Secrets are 32 random bytes: whoever can make a text with a given digest needs no timing. */
const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** Of 32 random bytes. The beginning tells what it is where it leaks. */
export const newToken = (): string => `sbx_${randomBytes(32).toString('base64url')}`;

export class Tokens {
  readonly #own: ReadonlySet<string>;
  readonly #store: TokenStore | null;
  readonly #clock: Clock;
  readonly #agentOf: (token: string) => SessionKey | null;
  /** By the digest of the secret. */
  readonly #named = new Map<string, Caller>();
  readonly #open = new Map<string, Set<ServerResponse>>();

  constructor({ own, store, clock, agentOf }: Options) {
    this.#own = new Set(own.map(digestOf));
    this.#store = store;
    this.#clock = clock;
    this.#agentOf = agentOf;
  }

  /** Before the first request. */
  async load(): Promise<void> {
    for (const row of (await this.#store?.tokens()) ?? []) {
      this.#know(row);
    }
  }

  /** Null: no token that is known and holds. */
  callerOf(authorization: string | undefined): Caller | null {
    if (this.#own.size === 0) {
      return daemonToken;
    }
    const given = /^Bearer +([\w.~+/=-]+) *$/i.exec(authorization ?? '')?.[1];
    if (given === undefined) {
      return null;
    }
    const digest = digestOf(given);
    if (this.#own.has(digest)) {
      return daemonToken;
    }
    const agentOf = this.#agentOf(given);
    if (agentOf !== null) {
      return { ...unbound, name: `agent:${agentOf}`, scopes: ['submit', 'read'], agentOf };
    }
    const known = this.#named.get(digest) ?? null;
    return known === null || (known.expiresAt ?? Number.POSITIVE_INFINITY) <= this.#clock.wall() ? null : known;
  }

  /** The response ends with the token that its request was sent with. */
  opened(caller: Caller, response: ServerResponse): void {
    if (isDaemonToken(caller)) {
      return;
    }
    const open = this.#open.get(caller.name) ?? new Set();
    this.#open.set(caller.name, open.add(response));
    const { expiresAt } = caller;
    const stop =
      expiresAt === null ? null : this.#clock.timer(expiresAt - this.#clock.wall(), () => response.destroy());
    response.on('close', () => {
      stop?.();
      open.delete(response);
      if (open.size === 0) {
        this.#open.delete(caller.name);
      }
    });
  }

  /** By name. */
  async list(): Promise<Token[]> {
    return ((await this.#store?.tokens()) ?? []).map(shown);
  }

  /** Throws `token_exists`. */
  async make({ name, scopes, sessions = null, expiresIn = null }: TokenRequest): Promise<NewToken> {
    const token = newToken();
    const madeAt = this.#clock.wall();
    const row: TokenRow = {
      name,
      scopes: [...new Set(scopes)],
      sessions,
      madeAt,
      expiresAt: expiresIn === null ? null : madeAt + expiresIn,
      digest: digestOf(token),
    };
    // Known before it is stored: who revokes it meanwhile finds it here.
    this.#know(row);
    if (name === ownTokenName || this.#store === null || !(await this.#store.addToken(row))) {
      this.#named.delete(row.digest);
      throw new ProblemError('token_exists', { detail: `There is a token ${JSON.stringify(name)}.` });
    }
    return { ...shown(row), token };
  }

  /** False: there was none. */
  async revoke(name: string): Promise<boolean> {
    const removed = (await this.#store?.removeToken(name)) ?? false;
    for (const [digest, known] of this.#named) {
      if (known.name === name) {
        this.#named.delete(digest);
      }
    }
    for (const response of this.#open.get(name) ?? []) {
      response.destroy();
    }
    return removed;
  }

  #know({ name, scopes, sessions, digest, expiresAt }: TokenRow): void {
    this.#named.set(digest, { name, scopes, sessions, expiresAt, agentOf: null });
  }
}

const shown = ({ name, scopes, sessions, madeAt, expiresAt }: TokenRow): Token => ({
  name,
  scopes: [...scopes],
  sessions: sessions === null ? null : [...sessions],
  madeAt,
  expiresAt,
});

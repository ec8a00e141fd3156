/** What a fake platform on loopback offers to the contract suite of the doors. Real HTTP; only the platform is ours. */
import type { Door } from '../../src/runtime/outbox/door.ts';

/** What becomes of one request. */
export type Fault =
  /** It has its effect, and the connection breaks. */
  | { readonly kind: 'lost' }
  /** It has its effect only after the sender has given it up. */
  | { readonly kind: 'late' }
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly effect: boolean;
      readonly headers?: { readonly [name: string]: string };
    };

/** A message as a reader of the platform sees it. */
export interface Post {
  readonly task: string;
  readonly text: string;
}

export interface Platform extends AsyncDisposable {
  readonly doors: readonly Door[];
  /** What the process of the kill tests makes the same doors from. */
  readonly config: object;
  /** In the order of their effect. */
  readonly posts: readonly Post[];
  /** Requests that reached it. */
  readonly requests: number;
  /** By the number of the request, from 1. */
  fault: (request: number) => Fault | null;
  /** Resolves with the next effect. */
  next(): Promise<void>;
  down(): Promise<void>;
  up(): Promise<void>;
  /** It takes the secret or the token of the sender no more. */
  revoke(): void;
  restore(): void;
}

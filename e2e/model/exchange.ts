import type { ServerResponse } from 'node:http';
import type { Asked } from './conversation.ts';
import type { Dialect } from './dialects/dialect.ts';
import type { ModelEvent } from './log.ts';

/** One exchange: the request as it was understood, and the way to answer it. */
export interface Exchange {
  readonly no: number;
  readonly dialect: Dialect;
  readonly asked: Asked;
  readonly response: ServerResponse;
  readonly id: (prefix: string) => string;
  readonly log: (
    event: {
      readonly [T in ModelEvent['type']]: Omit<Extract<ModelEvent, { type: T }>, 'at' | 'no'>;
    }[ModelEvent['type']],
  ) => void;
}

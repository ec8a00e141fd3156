/** Calls a daemon over HTTP with the token of its data folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Up } from './cli.ts';

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly text: string;
}

export class Caller {
  readonly #url: string;
  readonly #token: string;

  constructor({ ready }: Up, data: string) {
    this.#url = ready.url;
    this.#token = readFileSync(join(data, 'token'), 'utf8').trim();
  }

  async ask(path: string, body?: object): Promise<Answer> {
    const response = await fetch(this.#url + path, {
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const code = response.ok ? undefined : (JSON.parse(text) as { readonly code: string }).code;
    return { status: response.status, code, text };
  }

  submit(session: string): Promise<Answer> {
    return this.ask('/v1/tasks', { session, prompt: 'hello', lane: 'background' });
  }

  /** Asks until the task has this status: the test hangs if it never has. */
  async untilTaskIs(id: string, status: string): Promise<void> {
    for (;;) {
      const { text } = await this.ask(`/v1/tasks/${id}`);
      if ((JSON.parse(text) as { readonly status: string }).status === status) {
        return;
      }
    }
  }

  /** Asks until the answer has this status: the test hangs if it never has. */
  async untilReadyIs(status: number): Promise<Answer> {
    for (;;) {
      const answer = await this.ask('/readyz');
      if (answer.status === status) {
        return answer;
      }
    }
  }
}

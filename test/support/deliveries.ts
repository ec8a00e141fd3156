/** Deliveries for the webhook tests: the real payloads that ship with @octokit/webhooks-examples, signed as GitHub signs. */
import { createRequire } from 'node:module';
import { sessionKey, taskId } from '../../src/core/model/ids.ts';
import type { GithubConfigInput } from '../../src/gateways/github/config.ts';
import { signDelivery } from '../../src/gateways/github/signature.ts';
import type { HookHandler, HookHead, HookResponse } from '../../src/protocol/hooks.ts';
import type { Signalbox, SubmitRequest } from '../../src/runtime/api.ts';
import outcomesOfExamples from '../gateways/github-outcomes.json' with { type: 'json' };

export const sharedSecret = "It's a Secret to Everybody";

interface Example {
  readonly event: string;
  readonly edition: string;
  readonly index: number;
  readonly payload: { readonly [name: string]: unknown };
}

const editions = ['api.github.com', 'ghes-31', 'ghes-32', 'ghes-33', 'ghes-34', 'ghes-35'] as const;

/** All of them, of github.com and of five editions of GitHub Enterprise Server. */
export function examples(): readonly Example[] {
  const require = createRequire(import.meta.url);
  return editions.flatMap((edition) => {
    const definitions = require(`@octokit/webhooks-examples/${edition}/index.json`) as readonly {
      readonly name: string;
      readonly examples: readonly Example['payload'][];
    }[];
    return definitions.flatMap(({ name, examples: payloads }) =>
      payloads.map((payload, index) => ({ event: name, edition, index, payload })),
    );
  });
}

/** The first example of an event and action, as a copy that a test may change. */
export function example(event: string, action?: string): { [name: string]: unknown } {
  const found = examples().find((one) => one.event === event && one.payload['action'] === action);
  if (found === undefined) {
    throw new Error(`no example of ${event}.${action ?? ''}`);
  }
  return structuredClone(found.payload);
}

/** `issue_comment.created`, or `push` where there is no action. */
export const nameOf = (event: string, payload: Example['payload']): string =>
  typeof payload['action'] === 'string' && payload['action'] !== '' ? `${event}.${payload['action']}` : event;

interface Outcome {
  readonly status: number;
  readonly body: { readonly [name: string]: unknown };
  /** Rule that made the task, where there is one. */
  readonly rule: string | undefined;
}

interface Outcomes {
  [event: string]: { [outcome: string]: number };
}

/**
 * What becomes of each example payload: by event and action, how many examples end in which way. `task: NAME` is a task by
 * that rule; anything else is the reason why there is no task.
 */
export const expectedOutcomes: Readonly<Outcomes> = outcomesOfExamples;

/** Delivers every example and counts, by event and action, what became of it. */
export async function replay(deliver: (one: Example, index: number) => Promise<Outcome>): Promise<Outcomes> {
  const outcomes: Outcomes = {};
  for (const [index, one] of examples().entries()) {
    const { status, body, rule } = await deliver(one, index);
    const outcome =
      status === 202
        ? `task: ${rule ?? ''}`
        : status !== 200
          ? `refused: ${JSON.stringify(body)}`
          : String(body['status'] === 'ignored' ? body['reason'] : body['status']);
    const row = (outcomes[nameOf(one.event, one.payload)] ??= {});
    row[outcome] = (row[outcome] ?? 0) + 1;
  }
  return outcomes;
}

interface Posted {
  readonly event: string;
  readonly delivery: string;
  readonly payload: unknown;
  readonly secret?: string;
}

/** Signs and posts through the handler, as the server would. `change` may spoil the request before it is posted. */
export async function post(
  handler: HookHandler,
  posted: Posted,
  change: (request: { headers: { [name: string]: string | undefined }; rawBody: Uint8Array }) => void = () => {},
): Promise<{
  readonly status: number;
  readonly body: { readonly [name: string]: unknown };
  readonly headers: HookResponse['headers'];
}> {
  const { headers, body } = await signDelivery({ ...posted, secret: posted.secret ?? sharedSecret });
  const request = {
    headers: { ...headers } as { [name: string]: string | undefined },
    rawBody: Buffer.from(body) as Uint8Array,
  };
  change(request);
  return send(handler, request);
}

interface Request extends Pick<HookHead, 'headers'> {
  readonly rawBody: Uint8Array;
}

export async function send(handler: HookHandler, { headers, rawBody }: Request) {
  const answer = await answerTo(handler, { headers, remote: '127.0.0.1', requestId: 'request-1' }, rawBody);
  return { status: answer.status, body: answer.body as { readonly [name: string]: unknown }, headers: answer.headers };
}

/** In two pieces, as a socket may give them. */
async function answerTo(handler: HookHandler, head: HookHead, body: Uint8Array): Promise<HookResponse> {
  const refused = handler.refuse(head);
  if (refused !== null) {
    return refused;
  }
  const delivery = handler.receive(head);
  const half = Math.ceil(body.length / 2);
  delivery.update(body.subarray(0, half));
  delivery.update(body.subarray(half));
  return delivery.end() ?? delivery.handle(body);
}

/**
 * The one method of the runtime that a gateway calls, with its promise kept in memory: one task for an idempotency key.
 * For tests of what gateways ask for; what the runtime makes of it is tested with the runtime itself.
 */
export function admissions(): { readonly box: Pick<Signalbox, 'submit'>; readonly accepted: SubmitRequest[] } {
  const accepted: SubmitRequest[] = [];
  const byKey = new Map<string, { readonly task: string; readonly session: string }>();
  return {
    accepted,
    box: {
      submit: (request) => {
        const earlier = byKey.get(request.idempotencyKey ?? '');
        const admitted = earlier ?? { task: `task-${accepted.length + 1}`, session: request.session };
        if (earlier === undefined) {
          accepted.push(request);
          if (typeof request.idempotencyKey === 'string') {
            byKey.set(request.idempotencyKey, admitted);
          }
        }
        return Promise.resolve({
          kind: 'accepted',
          task: taskId(admitted.task),
          session: sessionKey(admitted.session),
          duplicate: earlier !== undefined,
          stage: 'waiting',
          mergedInto: null,
          endedTasks: [],
          fallback: false,
          waitsFor: null,
        });
      },
    },
  };
}

export const config = (more: Partial<GithubConfigInput> = {}): GithubConfigInput => ({
  secret: sharedSecret,
  bot: ['signalbox[bot]', 4_242],
  ...more,
});

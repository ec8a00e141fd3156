/** An error code has one title, one hint and one status, whichever route answers and whoever throws or refuses. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ErrorCode, type ErrorEntry, errorCodes } from '../../src/core/error-codes.ts';
import { AppError, type AppErrorOptions } from '../../src/core/errors.ts';
import { signStandardDelivery, standardHooks } from '../../src/gateways/standard-webhooks/hook.ts';
import { requestExamples } from '../../src/protocol/examples.ts';
import { fillPath, type Operation, operations, type Problem, type Route, routes } from '../../src/protocol/index.ts';
import type { Refused, Signalbox } from '../../src/runtime/index.ts';
import { refused } from '../../src/runtime/refusals.ts';
import { type Door, type Init, openDoor, problemIn } from '../support/door.ts';

const codes = Object.keys(errorCodes) as ErrorCode[];
/** The compiler sees that none is missing. */
const refusals: { readonly [C in Refused['code']]: true } = {
  queue_full: true,
  session_busy: true,
  rollback_unsupported: true,
  agent_differs: true,
  unknown_agent: true,
  text_sent: true,
  turn_sent: true,
  task_merged: true,
  not_movable: true,
  unknown_task: true,
  nothing_held: true,
  agent_not_running: true,
  not_parked: true,
  no_permission_request: true,
  duplicate_task: true,
  mode_conflict: true,
  evicted: true,
  not_external: true,
  task_claimed: true,
  call_out_of_order: true,
  turn_in_progress: true,
  hold_released: true,
  unknown_session: true,
  unknown_provider: true,
  not_throttled: true,
  unknown_runner: true,
  key_reused: true,
  source_full: true,
  daemon_full: true,
  task_ended: true,
  stale_epoch: true,
  closing: true,
  unknown_node: true,
};

/** One of each route that has a body. */
const bodies: { readonly [O in Operation]?: unknown } = Object.fromEntries(
  Object.entries(requestExamples).map(([operation, examples]) => [operation, Object.values(examples)[0]?.value]),
);

/** What every method of the runtime does in place of its own work. */
let answer: () => unknown = () => [];

/** `ready` and the listeners of streams stay the runtime's own. */
const answering = <T extends object>(part: T): T =>
  new Proxy(part, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (
        (name === 'holders' || name === 'store' || name === 'outbox') &&
        typeof value === 'object' &&
        value !== null
      ) {
        return answering(value);
      }
      return typeof value === 'function' && name !== 'listen' ? async () => answer() : value;
    },
  });

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
let door: Door;

beforeAll(async () => {
  const box = { submit: async () => answer() as Awaited<ReturnType<Signalbox['submit']>> };
  const config = { alerts: { secret, session: 'alerts', prompt: '{payload}' } };
  const hangs = { list: () => answer() as never, get: () => answer() as never, take: async () => answer() as never };
  door = await openDoor({ around: answering, server: { hooks: standardHooks({ box, config }), hangs } });
});
afterAll(() => door[Symbol.asyncDispose]());

async function request(operation: Operation): Promise<Response> {
  const route: Route = routes[operation];
  const params = { id: 'task-1', key: 's', name: 'provider' };
  const body: Init =
    route.body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(bodies[operation] ?? {}) };
  return door.fetch(fillPath(route.path, params), { method: route.method, ...body });
}

const delivered = async (): Promise<Response> => {
  const { headers, body } = signStandardDelivery({ secret, id: 'msg_1', sentAt: new Date(), payload: {} });
  return fetch(`${door.url}/hooks/alerts`, { method: 'POST', headers, body });
};

/** Problem documents of all routes and of a webhook; routes that do not ask the runtime have none. */
async function problems(): Promise<readonly Problem[]> {
  const responses = [...(await Promise.all(operations.map(request))), await delivered()];
  return Promise.all(responses.filter(({ ok }) => !ok).map(problemIn));
}

const shown = ({ code, title, hint, status }: Problem) => ({ code, title, hint, status });
const entryOf = (code: ErrorCode) => {
  const { title, hint, status }: ErrorEntry = errorCodes[code];
  return { code, title, hint, status: status ?? 500 };
};

describe('every route', () => {
  test.each(codes)('gives %s the title, hint and status of the table when it is thrown', async (code) => {
    answer = () => {
      throw new AppError({ code, message: 'thrown' } as AppErrorOptions);
    };
    const documents = await problems();
    expect(documents.length).toBeGreaterThan(20);
    expect(new Set(documents.map((one) => JSON.stringify(shown(one))))).toEqual(
      new Set([JSON.stringify(entryOf(code))]),
    );
  });

  test.each(Object.keys(refusals) as Refused['code'][])('gives %s the same when the runtime refuses', async (code) => {
    const refusal = refused(code);
    expect(refusal.hint).toBe(errorCodes[code].hint);
    answer = () => refusal;
    const commands: readonly Operation[] = [
      'submitTask',
      'editTask',
      'moveTask',
      'cancelTask',
      'stopSession',
      'evictSession',
      'parkSession',
      'unparkSession',
      'restartAgent',
      'newConversation',
      'respondToPermissionRequest',
      'resumeProvider',
      'holdTask',
      'takeTurn',
      'reportProgress',
      'heartbeat',
      'releaseHold',
      'finishTask',
    ];
    const responses = [...(await Promise.all(commands.map(request))), await delivered()];
    const documents = await Promise.all(responses.map(problemIn));
    expect(documents.map(shown)).toEqual(documents.map(() => entryOf(code)));
  });
});

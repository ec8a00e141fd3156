/** The peer of JSON-RPC: what breaks when answers come late, twice, from nobody, or never. */
import { describe, expect, test } from 'vitest';
import type { RpcCall, RpcOptions, RpcOutcome } from '../../src/agents/child/json-rpc.ts';
import { JsonRpc, rpcCodes } from '../../src/agents/child/json-rpc.ts';

function peer(options: Partial<RpcOptions> = {}) {
  const written: object[] = [];
  const raw: string[] = [];
  const notes: unknown[] = [];
  const calls: RpcCall[] = [];
  const settled: [string, RpcOutcome][] = [];
  const rpc = new JsonRpc(
    { write: (message) => written.push(message) > 0, raw: (problem) => void raw.push(problem) },
    {
      versioned: true,
      onNotification: (method, params) => void notes.push([method, params]),
      onCall: (call) => calls.push(call) > 0,
      ...options,
    },
  );
  const read = (message: { readonly [name: string]: unknown }): void => rpc.take(message, JSON.stringify(message));
  const call = (method: string): void => void rpc.call(method, {}, (outcome) => settled.push([method, outcome]));
  return { rpc, written, raw, notes, calls, settled, read, call };
}

describe('a call from the daemon', () => {
  test('is written at once, and settled by its own response, in any order', () => {
    const { written, settled, read, call } = peer();
    call('a');
    call('b');
    expect(written).toEqual([
      { jsonrpc: '2.0', id: 1, method: 'a', params: {} },
      { jsonrpc: '2.0', id: 2, method: 'b', params: {} },
    ]);
    read({ id: 2, result: null });
    read({ jsonrpc: '2.0', id: 1, error: { code: 7, message: 'no', data: { x: 1 } } });
    expect(settled).toEqual([
      ['b', { kind: 'result', result: null }],
      ['a', { kind: 'error', error: { code: 7, message: 'no', data: { x: 1 } } }],
    ]);
  });

  test('needs no version member in the response', () => {
    const { written, call } = peer({ versioned: false });
    call('a');
    expect(written).toEqual([{ id: 1, method: 'a', params: {} }]);
  });

  test('settles once: a second response, an unexpected one and one with a strange id are raw', () => {
    const { settled, raw, read, call } = peer();
    call('a');
    read({ id: 1, result: 1 });
    read({ id: 1, result: 2 });
    read({ id: 'x', result: 3 });
    read({ id: null, error: { code: rpcCodes.parse, message: 'cannot read that' } });
    expect(settled).toHaveLength(1);
    expect(raw).toHaveLength(3);
  });

  test('fails where the response is neither result nor error, or has a malformed error', () => {
    const { settled, read, call } = peer();
    call('a');
    call('b');
    read({ id: 1 });
    read({ id: 2, error: 'bad' });
    expect(settled.map(([, outcome]) => outcome.kind)).toEqual(['error', 'error']);
  });

  test('S02: rejects when the channel breaks, in order, and nothing follows', () => {
    const { rpc, settled, written, read, call } = peer();
    call('a');
    call('b');
    expect(rpc.waiting.map(({ method }) => method)).toEqual(['a', 'b']);
    rpc.broken();
    rpc.broken();
    call('c');
    rpc.notify('d');
    read({ id: 1, result: 1 });
    expect(settled).toEqual([
      ['a', { kind: 'broken' }],
      ['b', { kind: 'broken' }],
    ]);
    expect(rpc.waiting).toEqual([]);
    expect(written).toHaveLength(2);
  });
});

describe('a call from the agent', () => {
  test('is answered once, with the id it came with', () => {
    const { calls, written, read } = peer();
    for (const id of [0, 'x', null]) {
      read({ id, method: 'ask', params: { a: 1 } });
    }
    const [zero, text, none] = calls;
    expect(zero?.params).toEqual({ a: 1 });
    expect(zero?.result(undefined)).toBe(true);
    expect(zero?.error({ code: 1, message: 'too late' })).toBe(false);
    expect(text?.error({ code: 1, message: 'no' })).toBe(true);
    none?.result({});
    expect(written).toEqual([
      { jsonrpc: '2.0', id: 0, result: null },
      { jsonrpc: '2.0', id: 'x', error: { code: 1, message: 'no' } },
      { jsonrpc: '2.0', id: null, result: {} },
    ]);
  });

  test('agent-port/5: gets an error of the protocol without a handler', () => {
    const { written, read } = peer({ onCall: () => false });
    read({ id: 4, method: 'x/unheard_of' });
    expect(written).toMatchObject([{ id: 4, error: { code: rpcCodes.methodNotFound } }]);
  });

  test('is refused when too many wait, and accepted again when some are answered', () => {
    const { calls, written, read } = peer({ openMax: 2 });
    for (const id of [1, 2, 3]) {
      read({ id, method: 'ask' });
    }
    expect(calls).toHaveLength(2);
    expect(written).toMatchObject([{ id: 3, error: { code: rpcCodes.internal } }]);
    calls[0]?.result(1);
    read({ id: 4, method: 'ask' });
    expect(calls).toHaveLength(3);
  });

  test('gets no answer after the end', () => {
    const { rpc, calls, written, read } = peer();
    read({ id: 1, method: 'ask' });
    rpc.broken();
    expect(calls[0]?.result(1)).toBe(true);
    expect(written).toEqual([]);
  });
});

test('a notification is passed to its handler, and a line that is not a message is raw', () => {
  const { notes, raw, read } = peer();
  read({ method: 'session/update', params: [] });
  read({ params: 1 });
  read({ id: {}, method: 'ask' });
  expect(notes).toEqual([['session/update', []]]);
  expect(raw).toHaveLength(2);
});

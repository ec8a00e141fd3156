/**
 * The agent protocol on the wire: newline-delimited JSON over stdio, described for authors of agents in
 * docs/agent-protocol.md. This file is the only one that knows the shapes.
 */
import type { TurnId } from '../../core/ids.ts';
import { turnId } from '../../core/ids.ts';
import type { OutputKind } from '../../core/inputs.ts';
import type { TurnResult } from '../../core/model.ts';
import { type Fields, isFields, raw } from '../child/json-lines.ts';
import type { AgentEvent } from '../port.ts';

export const protocolVersion = 1;

/** Daemon to agent. */
export type ToAgent =
  | {
      readonly type: 'start';
      readonly protocol: typeof protocolVersion;
      readonly session: string;
      readonly incarnation: number;
      readonly conversation: string | null;
      readonly model: string | null;
    }
  | { readonly type: 'prompt'; readonly turn: number; readonly text: string; readonly rewind?: number }
  | { readonly type: 'interrupt'; readonly turn: number }
  | { readonly type: 'steer'; readonly turn: number; readonly id: string; readonly text: string }
  | {
      readonly type: 'answer';
      readonly turn: number;
      readonly request: string;
      readonly allow: boolean;
      readonly note: string | null;
    }
  | { readonly type: 'model'; readonly model: string | null }
  | { readonly type: 'close' };

/** Agent to daemon. */
export type FromAgent =
  | {
      readonly type: 'ready';
      readonly conversation: string | null;
      readonly lost?: boolean;
      readonly capabilities: { readonly acks: boolean; readonly steer: boolean; readonly rewind: boolean };
    }
  | { readonly type: 'started'; readonly turn: number }
  | { readonly type: 'output'; readonly turn: number; readonly kind: OutputKind; readonly data: unknown }
  | { readonly type: 'ack'; readonly turn: number; readonly none?: boolean }
  | {
      readonly type: 'result';
      readonly turn: number;
      readonly outcome: TurnResult['outcome'];
      readonly text: string;
      readonly usage?: unknown;
      readonly error?: unknown;
    }
  | { readonly type: 'steered'; readonly turn: number; readonly id: string; readonly taken: boolean }
  | { readonly type: 'unsolicited'; readonly phase: 'began' | 'ended'; readonly data?: unknown };

/** Turns a line into an event; whatever is wrong with it becomes `raw` and says what. Never throws. */
export function parseLine(line: string, rawMaxLength: number): AgentEvent {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return raw('not JSON', line, rawMaxLength);
  }
  if (!isFields(message)) return raw('not a JSON object', line, rawMaxLength);
  const event = typeof message['type'] === 'string' ? read(message['type'], message) : 'no type';
  return typeof event === 'string' ? raw(event, line, rawMaxLength) : event;
}

function read(type: string, message: Fields): AgentEvent | string {
  if (type === 'ready') return readReady(message);
  if (type === 'unsolicited') {
    const phase = message['phase'];
    if (phase !== 'began' && phase !== 'ended') return 'unsolicited: no phase';
    return { type: 'unsolicited', phase, data: message['data'] ?? null };
  }
  const turn = readTurn(message['turn']);
  switch (type) {
    case 'started':
      return turn === null ? 'started: no turn' : { type: 'started', turn };
    case 'output':
      return turn === null
        ? 'output: no turn'
        : { type: 'output', turn, kind: readKind(message['kind']), data: message['data'] ?? null };
    case 'ack':
      return turn === null ? 'ack: no turn' : { type: 'ack', turn, none: message['none'] === true };
    case 'result':
      return turn === null ? 'result: no turn' : readResult(turn, message);
    case 'steered': {
      const id = message['id'];
      if (turn === null || typeof id !== 'string') return 'steered: no turn or id';
      return { type: 'steered', turn, id, taken: message['taken'] === true };
    }
    default:
      return `unknown type ${type.slice(0, 100)}`;
  }
}

function readReady(message: Fields): AgentEvent {
  const caps = isFields(message['capabilities']) ? message['capabilities'] : {};
  const conversation = message['conversation'];
  return {
    type: 'ready',
    // What is not declared is not there.
    caps: {
      acks: caps['acks'] === true,
      steer: caps['steer'] === true,
      rewind: caps['rewind'] === true,
      models: false,
    },
    conversation: typeof conversation === 'string' && conversation !== '' ? conversation : null,
    lost: message['lost'] === true,
  };
}

function readResult(turn: TurnId, message: Fields): AgentEvent | string {
  const { outcome, text, usage, error } = message;
  if (outcome !== 'completed' && outcome !== 'interrupted' && outcome !== 'failed') return 'result: no known outcome';
  if (text !== undefined && typeof text !== 'string') return 'result: text is no string';
  const data = {
    text: text ?? '',
    ...(usage === undefined ? {} : { usage }),
    ...(error === undefined ? {} : { error }),
  };
  return { type: 'result', turn, result: { outcome, empty: data.text === '', failure: null, data } };
}

function readTurn(value: unknown): TurnId | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? turnId(value) : null;
}

function readKind(value: unknown): OutputKind {
  return value === 'text' || value === 'tool' || value === 'usage' ? value : 'raw';
}

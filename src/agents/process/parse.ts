/** The messages of the agent protocol, as events of the port. */
import { type TurnId, turnId } from '../../core/model/ids.ts';
import { actionKinds } from '../../core/model/permission.ts';
import { fieldsAt, isFields, numberAt, textAt, type Fields } from '../child/fields.ts';
import { failureRules, type FailureClass, type ProviderFailure } from '../failures.ts';
import type { AgentEvent } from '../port.ts';
import { readCost, readPart, readUsage } from '../shared/parts.ts';

/** What a program can say; the rest is made of it. */
export type SaidEvent = Exclude<AgentEvent, { type: 'spent' }>;

/** A text is what is wrong with the message. Never throws. */
export function parseMessage(message: Fields): SaidEvent | string {
  const type = textAt(message, 'type');
  if (type === null) {
    return 'no type';
  }
  if (type === 'ready') {
    return readReady(message);
  }
  if (type === 'switched') {
    return readSwitched(message);
  }
  if (type === 'background') {
    const { work } = message;
    return Array.isArray(work) && work.every((title) => typeof title === 'string')
      ? { type, work }
      : 'background: the work is not a list of titles';
  }
  if (type === 'unsolicited') {
    const phase = message['phase'];
    if (phase !== 'began' && phase !== 'ended') {
      return 'unsolicited: no phase';
    }
    return { type: 'unsolicited', phase, data: message['data'] ?? null };
  }
  const read = Object.hasOwn(ofATurn, type) ? ofATurn[type] : undefined;
  if (read === undefined) {
    return `unknown type ${type.slice(0, 100)}`;
  }
  const turn = readTurn(message['turn']);
  return turn === null ? `${type}: no turn` : read(turn, message);
}

/** Messages that name a turn. */
const ofATurn: { readonly [type: string]: (turn: TurnId, message: Fields) => SaidEvent | string } = {
  started: (turn) => ({ type: 'started', turn }),
  output: (turn, message) => ({ type: 'output', turn, part: readPart(message['part']) }),
  ack: (turn, message) => ({ type: 'ack', turn, noResult: message['noResult'] === true }),
  result: readResult,
  retrying: (turn, message) =>
    isFields(message['failure'])
      ? { type: 'retrying', turn, failure: readFailure(message['failure']) }
      : 'retrying: no failure',
  'permission-requested': readPermissionRequest,
  'permission-withdrawn'(turn, message) {
    const request = textAt(message, 'request');
    return request === null ? 'permission-withdrawn: no request' : { type: 'permission-withdrawn', turn, request };
  },
  steered(turn, message) {
    const id = textAt(message, 'id');
    return id === null ? 'steered: no id' : { type: 'steered', turn, id, delivered: message['delivered'] === true };
  },
};

function readReady(message: Fields): SaidEvent {
  const caps = fieldsAt(message, 'capabilities');
  const conversation = textAt(message, 'conversation');
  return {
    type: 'ready',
    // What is not declared is not there.
    caps: {
      acks: caps['acks'] === true,
      steer: caps['steer'] === true,
      rewind: caps['rewind'] === true,
      models: caps['models'] === true,
      keepsPrompts: caps['keepsPrompts'] === true,
    },
    conversation: conversation === '' ? null : conversation,
    conversationReset: message['conversationReset'] === true,
  };
}

function readSwitched(message: Fields): SaidEvent | string {
  const model = message['model'] ?? null;
  if (model !== null && typeof model !== 'string') {
    return 'switched: the model is not a string';
  }
  return { type: 'switched', model, ok: message['ok'] === true };
}

function readResult(turn: TurnId, message: Fields): SaidEvent | string {
  const { outcome, text, error, failure } = message;
  if (outcome !== 'completed' && outcome !== 'interrupted' && outcome !== 'failed') {
    return 'result: no known outcome';
  }
  if (text !== undefined && typeof text !== 'string') {
    return 'result: the text is not a string';
  }
  const [usage, cost] = [readUsage(message['usage']), readCost(message['cost'])];
  const report = {
    text: text ?? '',
    ...(usage === null ? {} : { usage }),
    ...(cost === null ? {} : { cost }),
    ...(error === undefined ? {} : { error }),
  };
  const why = outcome === 'failed' && isFields(failure) ? readFailure(failure) : null;
  return { type: 'result', turn, result: { outcome, empty: report.text === '', failure: why, report } };
}

/** A kind that is not known is `other`: least is allowed of that. */
function readPermissionRequest(turn: TurnId, message: Fields): SaidEvent | string {
  const request = textAt(message, 'request');
  const [tool, title] = [textAt(message, 'tool') ?? '', textAt(message, 'title') ?? ''];
  if (request === null || request === '') {
    return 'permission-requested: no request';
  }
  if (tool === '' || title === '') {
    return 'permission-requested: no tool or title';
  }
  const kind = actionKinds.find((known) => known === message['kind']) ?? 'other';
  return {
    type: 'permission-requested',
    turn,
    request,
    action: { kind, tool, title },
    detail: message['detail'] ?? null,
  };
}

const isClass = (name: string): name is FailureClass => Object.hasOwn(failureRules, name);

function readFailure(failure: Fields): ProviderFailure {
  const name = textAt(failure, 'class') ?? '';
  const wait = numberAt(failure, 'retryAfterMs');
  return {
    class: isClass(name) ? name : 'unknown',
    retryAfterMs: wait !== null && wait >= 0 ? wait : null,
    status: numberAt(failure, 'status'),
    message: textAt(failure, 'message') ?? '',
  };
}

function readTurn(value: unknown): TurnId | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? turnId(value) : null;
}

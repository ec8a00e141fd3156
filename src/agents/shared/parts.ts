/** Output parts of every dialect: bounds of their texts, and parts that come from outside in the shape that the tape has. */
import { actionKinds, type ActionKind } from '../../core/model/permission.ts';
import type { BoundedText, Cost, FileDiff, OutputPart, PlanEntry, ToolPart, Usage } from '../../core/model/output.ts';
import { countAt, head, isFields, listAt, numberAt, textAt, type Fields } from '../child/fields.ts';

/** Bytes of UTF-8 that are kept of a tool's input, of its output, and of one diff. */
export const toolTextMaxBytes = 8_192;

/** Room for the line that says how much is missing. */
const markerBytes = 64;

/** Keeps the beginning and the end; a line between them says how much is missing. */
export function bounded(text: string, maxBytes: number = toolTextMaxBytes): BoundedText {
  // No UTF-16 unit takes more than three bytes.
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) {
    return { text };
  }
  const all = Buffer.from(text);
  const half = Math.floor((maxBytes - markerBytes) / 2);
  // A cut within a character leaves a replacement character, which is dropped.
  const head = all
    .subarray(0, half)
    .toString()
    .replace(/\uFFFD$/, '');
  const tail = all
    .subarray(all.length - half)
    .toString()
    .replace(/^\uFFFD+/, '');
  const omittedBytes = all.length - Buffer.byteLength(head) - Buffer.byteLength(tail);
  return { text: `${head}\n… ${omittedBytes} bytes omitted …\n${tail}`, omittedBytes };
}

const depthMax = 4;
const stringMax = 2_000;
const itemsMax = 20;
const membersMax = 50;

/** Any JSON, cut in its texts, lists and depth; `…` marks the places. */
export function boundedJson(value: unknown, depth = depthMax): unknown {
  if (typeof value === 'string') {
    return value.length > stringMax ? `${value.slice(0, stringMax)}…` : value;
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (depth === 0) {
    return '…';
  }
  if (Array.isArray(value)) {
    const items = value.slice(0, itemsMax).map((one) => boundedJson(one, depth - 1));
    return value.length > itemsMax ? [...items, '…'] : items;
  }
  const members = Object.entries(value).map(([name, one]) => [name, boundedJson(one, depth - 1)] as const);
  return Object.fromEntries(members.length > membersMax ? [...members.slice(0, membersMax), ['…', '…']] : members);
}

/** UTF-16 code units that a tape keeps of the detail of a permission request. */
const detailMaxLength = 65_536;
/** A value without a text, such as a number or an empty list, counts as so many. */
const valueLength = 16;
const detailDepthMax = 32;

/**
 * The detail of a permission request, for the tape and for the person who decides: complete up to a bound. Where it is cut, a text
 * says how much is missing.
 */
export function boundedDetail(detail: unknown): unknown {
  let left = detailMaxLength;
  const cutText = (text: string): string => {
    const kept = text.length <= left ? text : bounded(text, Math.max(left, 4 * markerBytes)).text;
    left -= kept.length;
    return kept;
  };
  const cut = (value: unknown, depth: number): unknown => {
    left -= valueLength;
    if (typeof value === 'string') {
      return cutText(value);
    }
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    if (depth === 0) {
      return '…';
    }
    const kept: [string, unknown][] = [];
    const all = Object.entries(value);
    for (const [name, one] of all) {
      if (left <= 0) {
        break;
      }
      kept.push([Array.isArray(value) ? name : cutText(name), cut(one, depth - 1)]);
    }
    const more = all.length - kept.length;
    const marker: [string, string][] = more === 0 ? [] : [['…', `… ${more} more omitted …`]];
    const members = [...kept, ...marker];
    return Array.isArray(value) ? members.map(([, one]) => one) : Object.fromEntries(members);
  };
  return cut(detail, detailDepthMax);
}

/** The input of a tool as JSON text. Empty inputs are left out. */
export function inputText(input: unknown): { readonly input?: BoundedText } {
  if (input === undefined || input === null || (isFields(input) && Object.keys(input).length === 0)) {
    return {};
  }
  return { input: bounded(typeof input === 'string' ? input : JSON.stringify(input)) };
}

export const notice = (code: string, message: string, detail?: unknown): OutputPart => ({
  kind: 'notice',
  code,
  message,
  ...(detail === undefined ? {} : { detail }),
});

const actionOf = (value: unknown): ActionKind => actionKinds.find((known) => known === value) ?? 'other';

export function readUsage(value: unknown): Usage | null {
  if (!isFields(value)) {
    return null;
  }
  const [inputTokens, outputTokens] = [countAt(value, 'inputTokens'), countAt(value, 'outputTokens')];
  if (inputTokens === null || outputTokens === null) {
    return null;
  }
  const cached = countAt(value, 'cachedInputTokens');
  return { inputTokens, outputTokens, ...(cached === null ? {} : { cachedInputTokens: cached }) };
}

export function readCost(value: unknown): Cost | null {
  const [amount, currency] = isFields(value) ? [numberAt(value, 'amount'), textAt(value, 'currency')] : [null, null];
  return amount === null || amount < 0 || currency === null || !/^[A-Z]{3}$/.test(currency)
    ? null
    : { amount, currency };
}

const raw = (value: unknown): OutputPart => ({ kind: 'raw', data: boundedJson(value) });

/**
 * A part as anybody gives it, in the shape that the tape has. A part that is unknown, or has a value that no such part can have, is
 * `raw`. What is cut to a bound says so, but for the pieces of the answer and of thinking, which are whole.
 */
export function readPart(value: unknown): OutputPart {
  const part = isFields(value) ? value : {};
  const text = textAt(part, 'text');
  switch (part['kind']) {
    case 'text':
    case 'thinking':
      return text === null ? raw(value) : { kind: part['kind'], text };
    case 'retraction': {
      const length = countAt(part, 'length');
      return length === null ? raw(value) : { kind: 'retraction', length };
    }
    case 'tool':
      return readTool(part);
    case 'usage': {
      const usage = readUsage(part);
      return usage === null ? raw(value) : { kind: 'usage', ...usage };
    }
    case 'cost': {
      const cost = readCost(part);
      return cost === null ? raw(value) : { kind: 'cost', ...cost };
    }
    case 'plan':
      return { kind: 'plan', entries: readPlan(listAt(part, 'entries')) };
    case 'notice':
      return notice(line(part, 'code') ?? 'notice', line(part, 'message') ?? '', boundedJson(part['detail']));
    case 'raw':
      return raw(part['data'] ?? null);
    default:
      return raw(value);
  }
}

/** A name, a title, one step: for a person, on one line. */
function line(fields: Fields, name: string): string | null {
  const text = textAt(fields, name);
  return text === null ? null : head(text, stringMax);
}

const entriesMax = 200;

function readPlan(entries: readonly Fields[]): readonly PlanEntry[] {
  const read = entries.slice(0, entriesMax).map(readEntry);
  const more = entries.length - read.length;
  return more === 0 ? read : [...read, { text: `… ${more} more steps …`, status: 'pending' }];
}

const readEntry = (entry: Fields): PlanEntry => {
  const status = entry['status'];
  return {
    text: line(entry, 'text') ?? '',
    status: status === 'completed' || status === 'in_progress' ? status : 'pending',
  };
};

function readTool(part: Fields): ToolPart {
  const name = line(part, 'name') ?? 'tool';
  const status = part['status'];
  const diffs = readDiffs(listAt(part, 'diffs'));
  const [input, output] = [readBounded(part['input']), readBounded(part['output'])];
  const [startedAt, endedAt] = [countAt(part, 'startedAt'), countAt(part, 'endedAt')];
  return {
    kind: 'tool',
    id: textAt(part, 'id'),
    name,
    action: actionOf(part['action']),
    title: line(part, 'title') ?? name,
    status: status === 'started' || status === 'failed' ? status : 'completed',
    ...(input === null ? {} : { input }),
    ...(output === null ? {} : { output }),
    ...(diffs.length === 0 ? {} : { diffs }),
    ...(startedAt === null ? {} : { startedAt }),
    ...(endedAt === null ? {} : { endedAt }),
  };
}

const diffsMax = 100;

function readDiffs(diffs: readonly Fields[]): readonly FileDiff[] {
  const read = diffs.slice(0, diffsMax).map((one) => ({
    path: line(one, 'path') ?? '',
    unified: readBounded(one['unified']) ?? { text: '' },
  }));
  const more = diffs.length - read.length;
  return more === 0 ? read : [...read, { path: `… ${more} more files …`, unified: { text: '' } }];
}

/** A text alone is complete. */
function readBounded(value: unknown): BoundedText | null {
  if (typeof value === 'string') {
    return bounded(value);
  }
  const fields = isFields(value) ? value : {};
  const text = textAt(fields, 'text');
  if (text === null) {
    return null;
  }
  const omitted = countAt(fields, 'omittedBytes');
  const kept = bounded(text);
  return omitted === null || kept.omittedBytes !== undefined ? kept : { text, omittedBytes: omitted };
}

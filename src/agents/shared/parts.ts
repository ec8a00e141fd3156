/** Output parts of every dialect: bounds of their texts, and parts that come from outside in the shape that the tape has. */
import { actionKinds, type ActionKind } from '../../core/model/permission.ts';
import type { BoundedText, Cost, OutputPart, PlanEntry, ToolPart, Usage } from '../../core/model/output.ts';
import { fieldsAt, isFields, listAt, numberAt, textAt, type Fields } from '../child/fields.ts';

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
  const [inputTokens, outputTokens] = [numberAt(value, 'inputTokens'), numberAt(value, 'outputTokens')];
  if (inputTokens === null || outputTokens === null) {
    return null;
  }
  const cached = numberAt(value, 'cachedInputTokens');
  return { inputTokens, outputTokens, ...(cached === null ? {} : { cachedInputTokens: cached }) };
}

export function readCost(value: unknown): Cost | null {
  const [amount, currency] = isFields(value) ? [numberAt(value, 'amount'), textAt(value, 'currency')] : [null, null];
  return amount === null || currency === null ? null : { amount, currency };
}

/** A part from a foreign program. An unknown part is `raw`; texts are cut to their bounds. */
export function readPart(value: unknown): OutputPart {
  const part = isFields(value) ? value : {};
  const text = textAt(part, 'text');
  switch (part['kind']) {
    case 'text':
    case 'thinking':
      return text === null ? { kind: 'raw', data: value } : { kind: part['kind'], text };
    case 'retraction': {
      const length = numberAt(part, 'length');
      return length === null || length < 0 ? { kind: 'raw', data: value } : { kind: 'retraction', length };
    }
    case 'tool':
      return readTool(part);
    case 'usage': {
      const usage = readUsage(part);
      return usage === null ? { kind: 'raw', data: value } : { kind: 'usage', ...usage };
    }
    case 'cost': {
      const cost = readCost(part);
      return cost === null ? { kind: 'raw', data: value } : { kind: 'cost', ...cost };
    }
    case 'plan':
      return { kind: 'plan', entries: listAt(part, 'entries').map(readEntry) };
    case 'notice':
      return notice(textAt(part, 'code') ?? 'notice', textAt(part, 'message') ?? '', part['detail']);
    case 'raw':
      return { kind: 'raw', data: part['data'] ?? null };
    default:
      return { kind: 'raw', data: value };
  }
}

const readEntry = (entry: Fields): PlanEntry => {
  const status = entry['status'];
  return {
    text: textAt(entry, 'text') ?? '',
    status: status === 'completed' || status === 'in_progress' ? status : 'pending',
  };
};

function readTool(part: Fields): ToolPart {
  const name = textAt(part, 'name') ?? 'tool';
  const status = part['status'];
  const diffs = listAt(part, 'diffs').map((one) => ({
    path: textAt(one, 'path') ?? '',
    unified: readBounded(one['unified']) ?? { text: '' },
  }));
  const [input, output] = [readBounded(part['input']), readBounded(part['output'])];
  const [startedAt, endedAt] = [numberAt(part, 'startedAt'), numberAt(part, 'endedAt')];
  return {
    kind: 'tool',
    id: textAt(part, 'id'),
    name,
    action: actionOf(part['action']),
    title: textAt(part, 'title') ?? name,
    status: status === 'started' || status === 'failed' ? status : 'completed',
    ...(input === null ? {} : { input }),
    ...(output === null ? {} : { output }),
    ...(diffs.length === 0 ? {} : { diffs }),
    ...(startedAt === null ? {} : { startedAt }),
    ...(endedAt === null ? {} : { endedAt }),
  };
}

/** A text alone is complete. */
function readBounded(value: unknown): BoundedText | null {
  if (typeof value === 'string') {
    return bounded(value);
  }
  const text = isFields(value) ? textAt(value, 'text') : null;
  if (text === null) {
    return null;
  }
  const omitted = numberAt(fieldsAt({ value }, 'value'), 'omittedBytes');
  const kept = bounded(text);
  return omitted === null || kept.omittedBytes !== undefined ? kept : { text, omittedBytes: omitted };
}

/**
 * What a driver's untyped output data means in the typed parts of the tape. It goes away as soon as drivers emit parts
 * themselves.
 */
import type { BoundedText, Cost, OutputPart, ToolPart, TurnReport, Usage } from '../core/events.ts';
import type { OutputKind } from '../agents/port.ts';

type Fields = Readonly<{ [name: string]: unknown }>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
const textAt = (fields: Fields, name: string): string | null => {
  const value = fields[name];
  return typeof value === 'string' ? value : null;
};
const countAt = (fields: Fields, name: string): number | null => {
  const value = fields[name];
  return typeof value === 'number' ? value : null;
};

export function partOf(kind: OutputKind, data: unknown): OutputPart {
  switch (kind) {
    case 'text':
      return typeof data === 'string' ? { kind, text: data } : { kind: 'raw', data };
    case 'tool':
      return toolOf(fieldsOf(data)) ?? { kind: 'raw', data };
    case 'usage': {
      const usage = usageOf(fieldsOf(data));
      return usage === null ? { kind: 'raw', data } : { kind, ...usage };
    }
    case 'notice': {
      const fields = fieldsOf(data);
      const message = textAt(fields, 'text') ?? textAt(fields, 'message') ?? '';
      return { kind, code: textAt(fields, 'kind') ?? textAt(fields, 'name') ?? 'notice', message, detail: data };
    }
    case 'raw':
      return { kind, data };
  }
}

function toolOf(fields: Fields): ToolPart | null {
  const name = textAt(fields, 'name');
  if (name === null) {
    return null;
  }
  const status = fields['status'];
  const text = textAt(fields, 'output');
  const output: { readonly output?: BoundedText } = text === null ? {} : { output: { text } };
  return {
    kind: 'tool',
    id: textAt(fields, 'id'),
    name,
    action: 'other',
    title: textAt(fields, 'title') ?? '',
    status: status === 'completed' || status === 'failed' ? status : 'started',
    ...output,
  };
}

function usageOf(fields: Fields): Usage | null {
  const inputTokens = countAt(fields, 'inputTokens');
  const outputTokens = countAt(fields, 'outputTokens');
  if (inputTokens === null || outputTokens === null) {
    return null;
  }
  const cachedInputTokens = countAt(fields, 'cachedInputTokens');
  return { inputTokens, outputTokens, ...(cachedInputTokens === null ? {} : { cachedInputTokens }) };
}

function costOf(usage: Fields): Cost | null {
  const amount = countAt(usage, 'costUsd');
  return amount === null ? null : { amount, currency: 'USD' };
}

/** Null: nothing came with the result. */
export function reportOf(data: unknown): TurnReport | null {
  if (data === null || data === undefined) {
    return null;
  }
  const fields = fieldsOf(data);
  const text = typeof data === 'string' ? data : (textAt(fields, 'text') ?? '');
  const told = fieldsOf(fields['usage']);
  const usage = usageOf(told);
  const cost = costOf(told);
  const { error } = fields;
  return {
    text,
    ...(usage === null ? {} : { usage }),
    ...(cost === null ? {} : { cost }),
    ...(error === undefined ? {} : { error }),
  };
}

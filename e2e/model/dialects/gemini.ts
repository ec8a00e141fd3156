/** Google's Gemini: `POST /v1beta/models/MODEL:streamGenerateContent`, `:generateContent`. */
import type { Fields, Item } from '../conversation.ts';
import { fieldsOf, isFields, listOf, roleOf, stringOf, textOf } from '../conversation.ts';
import type { Call, Dialect, Stop } from './dialect.ts';
import { usedTokens, fakeMessage, frame } from './dialect.ts';

const stops: { readonly [S in Stop]: string } = { end: 'STOP', tool: 'STOP', refusal: 'SAFETY' };

function itemOf(part: Fields, role: unknown): Item {
  const { text, functionCall, functionResponse } = part;
  if (typeof text === 'string') {
    return { role: roleOf(role), kind: 'text', text };
  }
  if (isFields(functionCall)) {
    const { name, args } = functionCall;
    return { role: 'assistant', kind: 'call', text: `${stringOf(name)} ${JSON.stringify(args)}` };
  }
  if (isFields(functionResponse)) {
    return { role: 'tool', kind: 'result', text: JSON.stringify(functionResponse['response']) };
  }
  return { role: roleOf(role), kind: 'other', text: Object.keys(part).join(' ') };
}

function itemsOf(body: Fields): readonly Item[] {
  const system = textOf(fieldsOf(body['systemInstruction'])['parts']);
  return [
    ...(system === '' ? [] : [{ role: 'system', kind: 'text', text: system } as const]),
    ...listOf(body['contents']).flatMap((content) => {
      const { role, parts } = fieldsOf(content);
      return listOf(parts).map((part) => itemOf(fieldsOf(part), role ?? 'user'));
    }),
  ];
}

function schemaOf(body: Fields): Fields | null {
  const { responseMimeType, responseJsonSchema, responseSchema } = fieldsOf(body['generationConfig']);
  const schema = responseJsonSchema ?? responseSchema;
  if (isFields(schema)) {
    return schema;
  }
  return responseMimeType === 'application/json' ? {} : null;
}

const partOf = ({ name, input }: Call): Fields => ({ functionCall: { name, args: JSON.parse(input) as unknown } });

const usageMetadata = {
  promptTokenCount: usedTokens.input,
  candidatesTokenCount: usedTokens.output,
  totalTokenCount: usedTokens.total,
};

/** Names of its errors by HTTP status, for those that it has. */
const statuses: { readonly [status: number]: string } = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

export const gemini: Dialect = {
  name: 'gemini',
  matches: (path) => /:(?:streamGenerateContent|generateContent)$/.test(path),
  read: (path, body) => ({
    dialect: 'gemini',
    model: /models\/([^/:]+):/.exec(path)?.[1] ?? '',
    stream: path.endsWith(':streamGenerateContent'),
    items: itemsOf(body),
    tools: listOf(body['tools'])
      .flatMap((tool) => listOf(fieldsOf(tool)['functionDeclarations']))
      .map((tool) => stringOf(fieldsOf(tool)['name'])),
    schema: schemaOf(body),
  }),
  writer({ asked, write, id }) {
    const head = { modelVersion: asked.model, responseId: id('') };
    const say = (parts: readonly Fields[], finish: string | null = null): void => {
      const candidate = { content: { role: 'model', parts }, index: 0 };
      write(
        finish === null
          ? frame({ candidates: [candidate], ...head })
          : frame({ candidates: [{ ...candidate, finishReason: finish }], usageMetadata, ...head }),
      );
    };
    return {
      // Its streams begin with the first piece.
      begin: () => {},
      thinking: (piece) => say([{ text: piece, thought: true }]),
      text: (piece) => say([{ text: piece }]),
      call: (call) => say([partOf(call)]),
      end: (_said, stop) => say([{ text: '' }], stops[stop]),
      fail: (type) => write(frame({ error: { code: 503, message: fakeMessage(type), status: 'UNAVAILABLE' } })),
    };
  },
  whole: ({ asked, id }, said, call, stop) => ({
    candidates: [
      {
        content: { role: 'model', parts: [call === null ? { text: said } : partOf(call)] },
        finishReason: stops[stop],
        index: 0,
      },
    ],
    usageMetadata,
    modelVersion: asked.model,
    responseId: id(''),
  }),
  error: (code, type, message) => ({ error: { code, message, status: statuses[code] ?? type.toUpperCase() } }),
};

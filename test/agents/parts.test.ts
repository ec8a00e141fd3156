/** What any program says as an output part, usage or cost: on the tape it has the shape of the schema, and its bounds. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCost, readPart, readUsage } from '../../src/agents/shared/parts.ts';
import { CostSchema, OutputPartSchema, outputParts, UsageSchema } from '../../src/protocol/events/parts.ts';
import type { Schema } from '../../src/protocol/schema.ts';
import { validate } from '../../src/protocol/validate.ts';

const fits = (schema: Schema, value: unknown): boolean => validate(schema, value).ok;

/** A documented part with some members replaced by anything. */
const nearlyPart = fc
  .constantFrom(...Object.values<Schema>(outputParts))
  .chain((schema) =>
    fc
      .dictionary(fc.constantFrom(...Object.keys(schema.properties ?? {})), fc.jsonValue())
      .map((odd) => ({ ...(schema.examples?.[0] as object), ...odd })),
  );
const odd = fc.constantFrom(1.5, -1, 1e300, 2 ** 53, Number.MAX_VALUE, '1', null, '', 'x'.repeat(5_000));

describe('a part', () => {
  test('has the shape of its schema, whatever a program gives', () => {
    fc.assert(fc.property(fc.oneof(nearlyPart, fc.jsonValue()), (value) => fits(OutputPartSchema, readPart(value))));
  });

  test('with a number outside its range is raw, or lacks the number', () => {
    const example = (kind: keyof typeof outputParts): object => outputParts[kind].examples[0] as object;
    fc.assert(
      fc.property(odd, (value) => {
        const parts = [
          { ...example('retraction'), length: value },
          { ...example('usage'), inputTokens: value },
          { ...example('cost'), amount: value, currency: value },
          { ...example('tool'), startedAt: value, endedAt: value, output: { text: 'x', omittedBytes: value } },
        ];
        return parts.every((part) => fits(OutputPartSchema, readPart(part)));
      }),
    );
  });

  test('is bounded, and a cut part says so', () => {
    const long = 'x'.repeat(1_000_000);
    const many = Array.from({ length: 20_000 }, (_, at) => at);
    const diffs = many.map((at) => ({ path: `file-${at}`, unified: '--- a\n+++ b\n' }));
    const parts = [
      { kind: 'raw', data: { long, many } },
      { kind: 'unknown', long, many },
      { kind: 'notice', code: long, message: long, detail: { many } },
      { kind: 'plan', entries: many.map((at) => ({ text: `${at} ${long.slice(0, 3_000)}`, status: 'pending' })) },
      { kind: 'tool', id: 't', name: long, title: long, status: 'completed', input: long, output: long, diffs },
    ];
    for (const part of parts) {
      const text = JSON.stringify(readPart(part));
      expect([part.kind, text.length < 500_000, text.includes('…')]).toEqual([part.kind, true, true]);
    }
  });
});

test.each<readonly [string, Schema, (value: unknown) => unknown]>([
  ['usage', UsageSchema, readUsage],
  ['cost', CostSchema, readCost],
])('%s of a report has the shape of its schema, or is left out', (_, schema, read) => {
  const members = fc.dictionary(
    fc.constantFrom(...Object.keys(schema.properties ?? {})),
    fc.oneof(odd, fc.jsonValue()),
  );
  fc.assert(
    fc.property(members, (some) => {
      const value = read({ ...(schema.examples?.[0] as object), ...some });
      return value === null || fits(schema, value);
    }),
  );
});

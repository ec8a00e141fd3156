/** Events at the edges: their documentation, what a reader makes of a later version's, and what does not compile. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { errorCodes } from '../../src/core/error-codes.ts';
import type { EventType } from '../../src/core/model/events.ts';
import { deadlineNames } from '../../src/core/model/timers.ts';
import { outputParts } from '../../src/protocol/events/parts.ts';
import { readEvent, sentEvent } from '../../src/protocol/events/read.ts';
import { eventDataSchemas, eventSchemas } from '../../src/protocol/events/tape.ts';
import type { ReadEvent } from '../../src/protocol/index.ts';
import type { Schema } from '../../src/protocol/schema.ts';
import { validate } from '../../src/protocol/validate.ts';
import { sourcesUnder } from '../tidy/files.ts';
import { root } from '../support/docs.ts';
import { dataOf } from '../support/events.ts';

const allTypes = Object.keys(eventDataSchemas) as EventType[];
const page = readFileSync(`${root}docs/events.md`, 'utf8');
const sent = (type: string, data: unknown) => ({ session: 's', task: 't', seq: 1, at: 0, type, data });

/** Types that the core writes on tapes, by its own sources. `final` is a record of its own. */
function emitted(): ReadonlySet<string> {
  const calls = sourcesUnder('src/core')
    .flatMap((path) => readFileSync(root + path, 'utf8').split('\n'))
    .flatMap((line) => /\b(?:taskEvent|sessionEvent)\(d, ([^{]*)/.exec(line)?.slice(1) ?? []);
  const types = calls.flatMap((call) => [...call.matchAll(/'([a-z-]+)'/g)].map(([, type = '']) => type));
  return new Set([...types, 'final']);
}

describe('the page of events', () => {
  test('has a section for every type that the core writes, and for no other one', () => {
    const titles = [...page.matchAll(/^### `([a-z-]+)`$/gm)].map(([, type]) => type);
    expect(new Set(titles)).toEqual(emitted());
  });

  test.each(allTypes)('shows a valid example of %s', (type) => {
    const [example] = eventDataSchemas[type].examples ?? [];
    const task = (eventSchemas[type]?.properties?.['task']?.type as string) === 'null' ? null : crypto.randomUUID();
    expect(validate(eventSchemas[type] as Schema, { ...sent(type, example), task })).toMatchObject({ ok: true });
    expect(readEvent(sent(type, example)).kind).toBe('known');
  });

  test.each(Object.entries<Schema>(outputParts))('shows a valid example of a %s part', (_, schema) => {
    expect(validate(schema, schema.examples?.[0])).toMatchObject({ ok: true });
  });
});

/** Reason codes that the rules of the core write, beside those of commands that callers give. */
function reasons(): ReadonlySet<string> {
  const written =
    /(?:reason: |[?:] |(?:kill|close)Agent\(d, |giveUp\(d, |end\w+\(d, \w+, [\w.]+, )'(?<code>[a-z]+(?:_[a-z]+)*)'/g;
  const codes = sourcesUnder('src/core').flatMap((path) =>
    [...readFileSync(root + path, 'utf8').matchAll(written)].map(({ groups }) => groups?.['code'] ?? ''),
  );
  return new Set(codes.filter((code) => !Object.hasOwn(errorCodes, code)));
}

test('the page explains every reason code that the core writes', () => {
  const table = page.split('## Reason codes')[1]?.split('\n## ')[0] ?? '';
  const explained = new Set([...table.matchAll(/`([a-z_]+)`/g)].map(([, code]) => code));
  const missing = [...reasons()].filter((code) => !explained.has(code));
  expect(missing.filter((code) => code.includes('_'))).toEqual([]);
  expect(reasons().size).toBeGreaterThan(10);
});

test.each(deadlineNames)('the page explains the deadline %s', (name) => {
  expect(page.split('## Deadlines')[1]?.split('\n## ')[0]).toContain(`| \`${name}\` |`);
});

describe('the reader of events', () => {
  test('reads a type of a later version as unknown, and keeps its name and data', () => {
    const later = sent('reply-posted', { url: 'https://example.org' });
    expect(readEvent(later)).toEqual({ ...later, kind: 'unknown', type: null, name: 'reply-posted' });
    expect(sentEvent(readEvent(later))).toEqual(later);
  });

  test.each(['constructor', '__proto__', 'toString'])('does not take %s for a type', (name) => {
    expect(readEvent(sent(name, {})).kind).toBe('unknown');
  });

  test.each(allTypes)('reads data of %s that do not fit as unknown: null, a string, a list', (type) => {
    for (const data of [null, 'text', []]) {
      expect(readEvent(sent(type, data)).kind).toBe('unknown');
    }
  });

  test.each(allTypes)('reads %s without one of its required fields as unknown', (type) => {
    for (const name of eventDataSchemas[type].required ?? []) {
      const { [name]: _, ...rest } = dataOf(type) as { readonly [name: string]: unknown };
      expect([name, readEvent(sent(type, rest)).kind]).toEqual([name, 'unknown']);
    }
  });

  test('reads an event with an unlisted value as unknown, so that a switch over the list is complete', () => {
    expect(readEvent(sent('final', { ...dataOf('final'), status: 'postponed' })).kind).toBe('unknown');
    const part = { kind: 'video', url: 'v' };
    expect(readEvent(sent('output', { ...dataOf('output'), part })).kind).toBe('unknown');
  });

  test('keeps fields that a later version added', () => {
    const data = { ...dataOf('final'), retries: 2 };
    expect(readEvent(sent('final', data))).toEqual({ ...sent('final', data), kind: 'known' });
  });
});

/** Each line below the directive must not compile: `tsc` refuses a directive that nothing needs. */
test('a misspelt type or field does not compile', () => {
  const read = (event: ReadEvent): unknown => {
    if (event.type === 'final') {
      const { status } = event.data;
      // @ts-expect-error a field that does not exist
      void event.data.statsu;
      // @ts-expect-error a status that does not exist
      return status === 'complete';
    }
    // @ts-expect-error a type that does not exist
    if (event.type === 'finale') {
      return null;
    }
    if (event.type === 'output' && event.data.part.kind === 'tool') {
      // @ts-expect-error a field of another part
      return event.data.part.text;
    }
    if (event.kind === 'unknown') {
      // @ts-expect-error nothing is known of its data
      return event.data.status;
    }
    // @ts-expect-error data of an event that is not told apart
    return event.data.part;
  };
  expect(read(readEvent(sent('final', dataOf('final'))))).toBe(false);
});

/** Description, figures, token and daemon file. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readDaemonFile, writeDaemonFile } from '../../src/server/daemon-file.ts';
import { loadToken } from '../../src/server/token.ts';
import { operations, routes } from '../../src/protocol/index.ts';
import { openDoor } from '../support/door.ts';

type Json = { readonly [name: string]: unknown };

/** All values of `$ref` in a document. */
function referencesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([name, member]) => (name === '$ref' ? [String(member)] : referencesIn(member)));
}

function at(document: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>(
      (value, name) => (value as Json | undefined)?.[name.replaceAll('~1', '/').replaceAll('~0', '~')],
      document,
    );
}

describe('/openapi.json', () => {
  test('describes every route of the server, and every reference in it resolves', async () => {
    await using door = await openDoor();
    const document = await door.client.openapi();
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Signalbox', version: '1.2.3' } });
    const paths = document['paths'] as { readonly [path: string]: { readonly [method: string]: Json } };
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, each]) => `${method.toUpperCase()} ${path} ${String(each['operationId'])}`),
    );
    expect(described.toSorted()).toEqual(
      operations.map((operation) => `${routes[operation].method} ${routes[operation].path} ${operation}`).toSorted(),
    );
    const references = referencesIn(document);
    expect(references.length).toBeGreaterThan(30);
    expect(references.filter((reference) => at(document, reference) === undefined)).toEqual([]);
    for (const [path, methods] of Object.entries(paths)) {
      for (const each of Object.values(methods)) {
        const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        const parameters = each['parameters'] as readonly { readonly name: string; readonly in: string }[];
        expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(named);
      }
    }
  });
});

describe('/metrics', () => {
  test('has the figures of runtime, store, server and process, in the text format', async () => {
    await using door = await openDoor();
    const background = await door.client.submit({ session: 's', prompt: 'p', lane: 'background' });
    const first = await door.box.stage.turn();
    first.say('working');
    await door.box.event(background.task, 'output');
    const urgent = await door.client.submit({ session: 's', prompt: 'q' });
    (await door.box.stage.turn()).finish();
    await door.box.ended(urgent.task);
    (await door.box.stage.turn()).finish();
    await door.box.ended(background.task);
    await door.fetch('/v1/nothing');
    const response = await door.fetch('/metrics', {
      headers: { accept: 'application/openmetrics-text;q=0.5, text/plain;version=0.0.4, */*;q=0.1' },
    });
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const lines = (await response.text()).split('\n').filter((line) => line !== '');
    expect(
      lines.filter(
        (line) =>
          !/^(# (HELP|TYPE) [a-z_:][\w:]* .+|[a-z_:][\w:]*(\{[^}]*\})? ([Nn]a[Nn]|[+-]?Inf|-?[\d.e+-]+))$/.test(line),
      ),
    ).toEqual([]);
    const figures = new Map(
      lines
        .filter((line) => !line.startsWith('#'))
        .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
    expect(figures.get('signalbox_holds')).toBe(0);
    expect(figures.get('signalbox_queue_depth{lane="interactive"}')).toBe(0);
    expect(figures.get('signalbox_store_tasks{status="completed"}')).toBe(2);
    expect(figures.get('signalbox_late_events_dropped_total')).toBe(0);
    expect(figures.get('signalbox_http_requests_total{operation="submitTask",status="201"}')).toBe(2);
    expect(figures.get('signalbox_http_requests_total{operation="none",status="404"}')).toBe(1);
    expect(figures.get('signalbox_http_streams')).toBe(0);
    expect(figures.get('signalbox_http_streams_ended_total{reason="slow_reader"}')).toBe(0);
    expect(figures.get('signalbox_preempt_seconds_count')).toBe(1);
    expect(figures.get('signalbox_preempt_seconds_bucket{le="+Inf"}')).toBe(1);
    expect(figures.get('signalbox_commit_sessions_bucket{le="1"}')).toBeGreaterThan(0);
    expect(figures.get('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
    expect([...figures.keys()].filter((name) => name.startsWith('signalbox_hand_over_seconds')).length).toBeGreaterThan(
      5,
    );
  });
});

describe('the data folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'signalbox-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('gets a token at the first start, for its owner alone, and the next start keeps it', async () => {
    const data = join(folder, 'deep', 'data');
    const first = await loadToken(data);
    expect(first).toMatch(/^[\w-]{43}$/);
    expect(statSync(join(data, 'token')).mode & 0o777).toBe(0o600);
    expect(await loadToken(data)).toBe(first);
    expect(readdirSync(data)).toEqual(['token']);
  });

  test('gets one token when several start at once', async () => {
    const tokens = await Promise.all(Array.from({ length: 20 }, () => loadToken(folder)));
    expect(new Set(tokens).size).toBe(1);
    expect(readdirSync(folder)).toEqual(['token']);
  });

  test.each<[string, string, number]>([
    ['others may read', 'a-token-of-more-than-20-characters\n', 0o644],
    ['is empty', '', 0o600],
    ['is too short to be safe', 'short\n', 0o600],
    ['has no token in it', 'two words of text that are no token\n', 0o600],
  ])('refuses a token file that %s', async (_, text, mode) => {
    writeFileSync(join(folder, 'token'), text);
    chmodSync(join(folder, 'token'), mode);
    await expect(loadToken(folder)).rejects.toMatchObject({ code: 'token_unreadable' });
    expect(readFileSync(join(folder, 'token'), 'utf8')).toBe(text);
  });

  test('is refused when its token is a folder, or when it is a file itself', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(loadToken(file)).rejects.toMatchObject({ code: 'token_unreadable' });
  });

  test('says where the daemon answers, until the daemon ends, and keeps the entry of a successor', async () => {
    const own = { url: 'http://127.0.0.1:1', pid: 1, version: '1', startedAt: 1 };
    const remove = await writeDaemonFile(folder, own);
    expect(await readDaemonFile(folder)).toEqual(own);
    const removeSuccessor = await writeDaemonFile(folder, { ...own, startedAt: 2 });
    await remove();
    expect(await readDaemonFile(folder)).toEqual({ ...own, startedAt: 2 });
    await removeSuccessor();
    expect(await readDaemonFile(folder)).toBeNull();
    expect(readdirSync(folder)).toEqual([]);
    writeFileSync(join(folder, 'daemon.json'), '{"url":');
    expect(await readDaemonFile(folder)).toBeNull();
  });
});

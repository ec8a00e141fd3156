/** The folder of hang reports. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeRedactor } from '../../../src/supervise/redact.ts';
import { compose } from '../../../src/supervise/watchdog/compose.ts';
import { listReports, newReportId, readReport, writeReport } from '../../../src/supervise/watchdog/report-files.ts';
import { makeMemory, MemoryReader, MemoryWriter } from '../../../src/supervise/watchdog/shared-memory.ts';
import type { HangReport } from '../../../src/supervise/watchdog/report.ts';
import { Reporter } from '../../../src/supervise/watchdog/reporter.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'signalbox-hangs-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const known = {
  trigger: 'requested',
  version: '0',
  launcherMs: null,
  lagMs: 0,
  blocked: false,
  stack: null,
  snapshot: null,
  agent: null,
} as const;

function report(folder: string, at: number): HangReport {
  return compose({ ...known, id: newReportId(folder, at, 'no-hang'), at });
}

test('a report is made for its owner alone, with the data folder where it is missing, and as a whole file', () => {
  const folder = join(root, 'data', 'hangs');
  const file = writeReport(folder, report(folder, 0));
  const mode = (path: string): number => statSync(path).mode & 0o777;
  expect([mode(join(root, 'data')), mode(folder), mode(file)]).toEqual([0o700, 0o700, 0o600]);
  expect(readdirSync(folder)).toEqual(['19700101T000000000Z-no-hang.json']);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ class: 'no-hang', threadsOf: process.pid });
});

test('the list has the newest first, names reports of one millisecond apart, and keeps only the newest', () => {
  const folder = join(root, 'hangs');
  for (const at of [3_000, 1_000, 2_000, 2_000, 4_000]) {
    writeReport(folder, report(folder, at), 4);
  }
  expect(listReports(folder).map(({ id }) => id.slice(9))).toEqual([
    '000004000Z-no-hang',
    '000003000Z-no-hang',
    '000002000Z-no-hang-2',
    '000002000Z-no-hang',
  ]);
});

test('the reader gives a report of an earlier version the present name of its trigger', () => {
  const folder = join(root, 'hangs');
  const file = writeReport(folder, report(folder, 1));
  writeFileSync(file, readFileSync(file, 'utf8').replace('"trigger": "requested"', '"trigger": "asked"'));
  expect(readFileSync(file, 'utf8')).toContain('"asked"');
  expect(listReports(folder)).toMatchObject([{ trigger: 'requested' }]);
});

test('the reader accepts neither a file that is not a report, nor a path for a name', () => {
  const folder = join(root, 'hangs');
  writeReport(folder, report(folder, 1));
  writeFileSync(join(folder, '20260101T000000000Z-no-hang.json'), 'half a rep');
  writeFileSync(join(folder, 'notes.json'), '{}');
  writeFileSync(join(root, 'secret.json'), '{}');
  expect(listReports(folder)).toHaveLength(1);
  for (const id of ['../secret', 'notes', '20260101T000000000Z-no-hang', '', '/etc/passwd']) {
    expect(readReport(folder, id)).toBeNull();
  }
  expect(listReports(join(root, 'nothing'))).toEqual([]);
});

test('a secret in a wait does not get into the file', async () => {
  const folder = join(root, 'hangs');
  const secret = 'correct-horse-battery';
  const memory = makeMemory();
  const wait = { owner: `session ${secret}`, name: 'a turn', id: secret, ageMs: 1, leftMs: null, person: false };
  new MemoryWriter(memory).writeSnapshot({ sessions: [], waits: [wait], omitted: 0 });
  const settings = { hangMs: 1, secrets: [secret], log: false };
  const parts = { memory: new MemoryReader(memory), folder, version: '0', settings, launcherMs: () => null };
  const { file } = await new Reporter(parts).take({ trigger: 'requested', agent: null });
  const text = readFileSync(file, 'utf8');
  expect([text.includes(secret), text.includes('a turn')]).toEqual([false, true]);
  expect(makeRedactor([secret]).text(secret)).not.toContain(secret);
});

test('a folder that cannot be written rejects with the reason', async () => {
  writeFileSync(join(root, 'hangs'), 'a file');
  const settings = { hangMs: 1, secrets: [], log: false };
  const memory = new MemoryReader(makeMemory());
  const parts = { memory, folder: join(root, 'hangs'), version: '0', settings, launcherMs: () => null };
  await expect(new Reporter(parts).take({ trigger: 'requested', agent: null })).rejects.toThrow(
    /could not be written to .*hangs/,
  );
});

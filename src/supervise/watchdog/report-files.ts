/**
 * The folder of hang reports: one JSON file each, for their owner alone, named by time and class. Everything is synchronous,
 * since whoever writes has no loop to lean on. Any process that knows the folder may read it, with or without a daemon.
 *
 *  report-files/1 A file is whole or not there: it is written aside and renamed.
 *  report-files/2 At most `keep` reports stay; the oldest go.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { HangClass } from '../../core/model/hang.ts';
import type { HangReport, HangSummary } from './report.ts';

/** More than anybody reads; some 20 KiB each. */
const reportsKept = 50;

const idPattern = /^\d{8}T\d{9}Z-[a-z-]+(?:-\d+)?$/;

/** Sorts by time as text does. */
const idOf = (at: number, what: HangClass): string => `${new Date(at).toISOString().replace(/[-:.]/g, '')}-${what}`;

/** An id that no file has yet. */
export function newReportId(folder: string, at: number, what: HangClass): string {
  const id = idOf(at, what);
  const taken = new Set(idsIn(folder));
  for (let nth = 2; ; nth += 1) {
    const one = nth === 2 && !taken.has(id) ? id : `${id}-${nth}`;
    if (!taken.has(one)) {
      return one;
    }
  }
}

/** Writes it, or writes it anew. Throws what the system throws. Answers the file. */
export function writeReport(folder: string, report: HangReport, keep = reportsKept): string {
  makePrivate(folder);
  const file = join(folder, `${report.id}.json`);
  const aside = `${file}.new`;
  writeFileSync(aside, `${JSON.stringify(report, null, 1)}\n`, { mode: 0o600 });
  renameSync(aside, file);
  for (const id of idsIn(folder).slice(keep)) {
    rmSync(join(folder, `${id}.json`), { force: true });
  }
  return file;
}

/** Newest first. */
function idsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -'.json'.length)] : []))
      .filter((id) => idPattern.test(id))
      .sort()
      .reverse();
  } catch {
    return [];
  }
}

/** Newest first. What cannot be read is left out. */
export function listReports(folder: string): readonly HangSummary[] {
  return idsIn(folder).flatMap((id) => {
    const report = readReport(folder, id);
    if (report === null) {
      return [];
    }
    const { at, class: what, trigger, summary, session } = report;
    return [{ id, at, class: what, trigger, summary, session, file: join(folder, `${id}.json`) }];
  });
}

/** Null: there is none of that name. */
export function readReport(folder: string, id: string): HangReport | null {
  // A name is all that may come from outside.
  if (!idPattern.test(id)) {
    return null;
  }
  try {
    const report = JSON.parse(readFileSync(join(folder, `${id}.json`), 'utf8')) as HangReport;
    // A report outlives the version that wrote it: this trigger had another name.
    return (report.trigger as string) === 'asked' ? { ...report, trigger: 'requested' } : report;
  } catch {
    return null;
  }
}

function makePrivate(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'EEXIST') {
      return;
    }
    if (code !== 'ENOENT') {
      throw error;
    }
    // The data folder itself is not there yet: a configuration blocks before the daemon has made it.
    mkdirSync(dirname(folder), { mode: 0o700 });
    mkdirSync(folder, { mode: 0o700 });
  }
  chmodSync(folder, 0o700);
}

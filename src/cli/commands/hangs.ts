import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import { dataFiles } from '../../protocol/folder.ts';
import type { HangReport, HangSummary } from '../../protocol/hangs.ts';
import type { Call } from '../call.ts';
import { reportText } from '../output/hang-report.ts';
import type { Io } from '../io.ts';
import { connect } from '../connect.ts';
import { findDataFolder } from '../data-folder.ts';
import { type Column, table } from '../output/table.ts';
import { ageText } from '../output/text.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'hangs',
  group: 'Look after it',
  what: 'list hang reports, newest first, or show one',
  next: 'Next: signalbox hangs ID, with an id from the list; signalbox doctor --live takes one now',
  args: [{ name: 'ID', optional: true }],
  flags: [],
  examples: [
    { line: 'signalbox hangs', what: 'also when no daemon runs: they are files in the data folder' },
    { line: 'signalbox hangs 20260321T101500000Z-main-loop-blocked', what: 'stack, threads, and what waited' },
  ],
  run,
};

interface Reports {
  readonly list: () => Promise<readonly HangSummary[]>;
  readonly get: (id: string) => Promise<HangReport | null>;
}

/** The files of the data folder, daemon or not; with an address, that daemon's. */
async function reportsOf(call: Call, io: Io): Promise<Reports> {
  if (call.text('url') !== null || (io.env['SIGNALBOX_URL'] ?? '') !== '') {
    const client = await connect(call, io);
    return { list: async () => (await client.hangs()).items, get: (id) => client.hang(id) };
  }
  const { listReports, readReport } = await import('../../supervise/watchdog/report-files.ts');
  const data = findDataFolder({ data: call.text('data'), config: null, env: io.env, cwd: io.cwd });
  const folder = join(data.folder, dataFiles.hangs);
  return {
    list: () => Promise.resolve(listReports(folder)),
    get: (id) => Promise.resolve(readReport(folder, id)),
  };
}

async function run(call: Call, io: Io): Promise<number> {
  const reports = await reportsOf(call, io);
  const id = call.argOr('ID', null);
  return id === null ? list(await reports.list(), io) : show(id, await reports.get(id), io);
}

const columns: readonly Column[] = [
  { title: 'WHEN' },
  { title: 'CLASS' },
  { title: 'SESSION', min: 12, cut: 'middle', optional: true },
  { title: 'ID' },
  { title: 'WHAT', min: 20, optional: true },
];

function list(items: readonly HangSummary[], io: Io): number {
  if (io.json) {
    io.document({ items });
    return 0;
  }
  const now = Date.now();
  const rows = items.map(({ id, at, class: what, session, summary }) => ({
    cells: [`${ageText(now - at)} ago`, what, session ?? '', id, summary],
    paints: [io.paint.faint, what === 'no-hang' ? io.paint.good : io.paint.warn],
  }));
  io.print(rows.length === 0 ? 'no hang reports' : table(columns, rows, io));
  return 0;
}

function show(id: string, report: HangReport | null, io: Io): number {
  if (report === null) {
    throw new AppError({ code: 'unknown_hang', message: `There is no hang report ${JSON.stringify(id)}.` });
  }
  if (io.json) {
    io.document(report);
  } else {
    io.print(reportText(report, io));
  }
  return 0;
}

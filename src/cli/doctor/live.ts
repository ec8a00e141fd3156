/** `doctor --live`: a hang report of a running daemon, from its launcher where there is one, else over HTTP. */
import { dirname } from 'node:path';
import { AppError } from '../../core/errors.ts';
import type { HangReport } from '../../protocol/hangs.ts';
import type { Call } from '../call.ts';
import { reportText } from '../output/hang-report.ts';
import type { Io } from '../io.ts';
import { connect } from '../connect.ts';
import { findDataFolder } from '../data-folder.ts';

/** A daemon that is well answers in milliseconds. */
const answerDeadlineMs = 10_000;

/** The launcher has its own event loop, so it answers while the daemon hangs. Null: no launcher runs. */
async function fromLauncher(folder: string): Promise<HangReport | null> {
  const { askReportSocket } = await import('../../supervise/launcher/report-socket.ts');
  const { readReport } = await import('../../supervise/watchdog/report-files.ts');
  const answer = await askReportSocket(folder);
  if (answer === null) {
    return null;
  }
  const { report, problem } = answer;
  const whole = report === null ? null : readReport(dirname(report.file), report.id);
  if (whole === null) {
    throw new AppError({
      code: 'unreachable',
      message: problem ?? 'the report could not be read',
      hint: 'Inspect the process with the tools of the system; Ctrl-C twice ends it in any state.',
    });
  }
  return whole;
}

async function take(call: Call, io: Io): Promise<HangReport> {
  const elsewhere = call.text('url') !== null || (io.env['SIGNALBOX_URL'] ?? '') !== '';
  if (!elsewhere) {
    const { folder } = findDataFolder({
      data: call.text('data'),
      config: call.text('config'),
      env: io.env,
      cwd: io.cwd,
    });
    const report = await fromLauncher(folder);
    if (report !== null) {
      return report;
    }
  }
  const client = await connect(call, io);
  return client.takeHang({ signal: AbortSignal.timeout(answerDeadlineMs) });
}

/** Exit code 1: something hangs. A wait for a person is not a hang. */
export async function live(call: Call, io: Io): Promise<number> {
  const report = await take(call, io);
  if (io.json) {
    io.document(report);
  } else {
    io.print(reportText(report, io));
  }
  return report.class === 'no-hang' || report.class === 'waiting-for-person' ? 0 : 1;
}

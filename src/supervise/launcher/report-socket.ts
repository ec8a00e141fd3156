/**
 * The launcher's report socket: a local socket in the data folder, through which `signalbox doctor --live` asks for a hang report. It
 * answers whatever the daemon's main loop does, since the launcher has a loop of its own.
 *
 * A socket, and not a signal to the launcher: a file names the launcher for certain, where a pid in a file may by now be a
 * stranger's, whom SIGUSR2 would end; it answers with the report; and only its owner can reach it.
 *
 *  report-socket/1 It is opened only when the daemon holds the data folder: what lies there was left by a dead one, and may
 *                  be removed.
 *  report-socket/2 It says nothing but the place of a report, and takes nothing but the wish for one.
 */
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HangSummary } from '../watchdog/report.ts';

/** The name of a socket is kept by the system in 104 (macOS) or 108 (Linux) bytes, the closing zero included. */
const pathMax = 103;
const clientsMax = 8;
const clientDeadlineMs = 10_000;

export interface ReportAnswer {
  readonly report: HangSummary | null;
  readonly problem: string | null;
}

/** Where the report socket of a data folder is: in it, or where its path is too long, in a folder of the user's own. */
export function reportSocketPath(folder: string): string {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 24);
  const path = join(folder, 'launcher.sock');
  return Buffer.byteLength(path) <= pathMax ? path : join(shortFolder(), `${name}.sock`);
}

const shortFolder = (): string => join(tmpdir(), `signalbox-${process.getuid?.() ?? 0}`);

export interface ReportSocket {
  close(): void;
}

/** Null: it could not be opened; everything else continues without it. */
export function openReportSocket(folder: string, answer: () => Promise<ReportAnswer>): ReportSocket | null {
  const path = reportSocketPath(folder);
  try {
    if (!path.startsWith(folder)) {
      makeOwn(shortFolder());
    }
    rmSync(path, { force: true });
    const { createServer } = process.getBuiltinModule('node:net');
    const server: Server = createServer((socket) => serve(socket, answer));
    server.maxConnections = clientsMax;
    server.on('error', () => {});
    server.listen(path, () => chmodSync(path, 0o600));
    server.unref();
    return {
      close() {
        server.close();
        rmSync(path, { force: true });
      },
    };
  } catch {
    return null;
  }
}

/** Throws if the folder belongs to another user. */
function makeOwn(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) {
    throw new Error(`${folder} is not ours alone`);
  }
}

function serve(socket: Socket, answer: () => Promise<ReportAnswer>): void {
  socket.on('error', () => {});
  socket.setTimeout(clientDeadlineMs, () => socket.destroy());
  // Whatever is said, it is the wish for a report.
  socket.once('data', () => {
    answer().then(
      (said) => socket.end(`${JSON.stringify(said)}\n`),
      () => socket.destroy(),
    );
  });
}

/** Null: no launcher answers there. */
export function askReportSocket(folder: string): Promise<ReportAnswer | null> {
  const { connect } = process.getBuiltinModule('node:net');
  return new Promise((resolve) => {
    const socket = connect(reportSocketPath(folder));
    let text = '';
    socket.setTimeout(clientDeadlineMs, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('connect', () => socket.write('report\n'));
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.on('close', () => resolve(parse(text)));
  });
}

function parse(text: string): ReportAnswer | null {
  try {
    const said: unknown = JSON.parse(text);
    return typeof said === 'object' && said !== null && 'report' in said ? (said as ReportAnswer) : null;
  } catch {
    return null;
  }
}

/**
 * Hang reports of a daemon: the snapshot of live sessions for its watchdog, the checks of its agents, and the folder of reports.
 *
 * Owns: one timer, while there is a watchdog.
 *  daemon-hangs/1 The snapshot for the watchdog is bounded, and costs nothing while no session is live.
 */
import { join } from 'node:path';
import type { AllTrue, Describes } from '../protocol/describes.ts';
import { dataFiles } from '../protocol/folder.ts';
import type { HangReportSchema, HangSummarySchema } from '../protocol/hangs.ts';
import type { LimitsConfig } from '../protocol/config.ts';
import type { Signalbox } from '../runtime/api.ts';
import type { HangSource } from '../server/options.ts';
import { pendingWaits } from '../supervise/pending-waits.ts';
import type { Alarm } from '../supervise/watchdog/agent-watch.ts';
import { AgentWatch } from '../supervise/watchdog/agent-watch.ts';
import type { AgentPatience } from '../supervise/watchdog/classify.ts';
import { listReports, readReport } from '../supervise/watchdog/report-files.ts';
import type { HangReport, HangSummary, Snapshot } from '../supervise/watchdog/report.ts';
import type { Watchdog } from '../supervise/watchdog/watchdog.ts';

/** Between two checks of the agents. */
const lookMs = 1_000;
/** Waits in a snapshot that belong to no session. */
const waitsMax = 100;

/** A report is sent as it is over HTTP: the schemas describe it, or this file does not compile. */
export type HangsFit = AllTrue<{
  report: Describes<typeof HangReportSchema, HangReport>;
  summary: Describes<typeof HangSummarySchema, HangSummary>;
}>;

interface HangParts {
  readonly signalbox: Signalbox;
  readonly watch: Watchdog;
  readonly limits: LimitsConfig;
  readonly onError: (error: unknown, where: string) => void;
}

/** Half of each deadline, so that the report is written before the deadline ends the agent. */
const patienceOf = ({ agentQuietMs, startMs, drainMs, switchMs }: LimitsConfig): AgentPatience => ({
  quietMs: agentQuietMs,
  goneMs: 5_000,
  answers: {
    start: startMs / 2,
    prompt: agentQuietMs,
    interrupt: drainMs / 2,
    steer: agentQuietMs,
    switch: switchMs / 2,
    end: 15_000,
  },
});

/** Adds live sessions to reports, and checks the agents, until the returned function is called. */
export function watchSessions({ signalbox, watch, limits, onError }: HangParts): () => void {
  const report = async ({ class: what, session, why, pid }: Alarm): Promise<void> => {
    const summary = `${what}: the agent of ${session}${pid === null ? '' : ` (pid ${pid})`}: ${why}`;
    const { id } = await watch.report('watch', { class: what, session, summary, pid });
    signalbox.noteHang(session, { report: id, class: what, summary });
  };
  const agents = new AgentWatch({
    patience: patienceOf(limits),
    onAlarm: (alarm) => void report(alarm).catch((error: unknown) => onError(error, 'hang report')),
  });
  watch.snapshot = () => snapshotOf(signalbox, agents);
  const look = setInterval(() => agents.look(signalbox.inspect(), performance.now()), lookMs);
  look.unref();
  return () => {
    clearInterval(look);
    watch.snapshot = () => null;
  };
}

function snapshotOf(signalbox: Signalbox, agents: AgentWatch): Snapshot | null {
  const sessions = signalbox.inspect();
  const pending = pendingWaits.list();
  if (sessions.length === 0 && pending.length === 0) {
    return null;
  }
  const now = performance.now();
  const waits = pending.slice(0, waitsMax).map(({ owner, name, id, since, deadline, person }) => ({
    owner,
    name,
    id,
    ageMs: Math.round(now - since),
    leftMs: deadline === null ? null : Math.round(deadline - now),
    person,
  }));
  return { sessions: sessions.map((one) => agents.facts(one)), waits, omitted: pending.length - waits.length };
}

/** The reports that the server shows. Without a watchdog no report can be taken. */
export function hangSource(folder: string, watch: Watchdog | undefined): HangSource {
  const hangs = join(folder, dataFiles.hangs);
  return {
    list: () => listReports(hangs),
    get: (id) => readReport(hangs, id),
    take: watch === undefined ? null : () => watch.report('requested'),
  };
}

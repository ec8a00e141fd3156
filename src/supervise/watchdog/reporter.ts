/**
 * Takes reports and writes them, one after the other, without the main thread.
 *
 * Owned by the watchdog thread. Owns: at most one taking of a stack that is still open, since the main thread is in native
 * code, and the report that it belongs to.
 *  reporter/1 One report at a time: two stacks at once would disturb each other.
 *  reporter/2 What leaves was redacted.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Redactor } from '../redact.ts';
import { makeRedactor } from '../redact.ts';
import type { AgentFinding, Known } from './compose.ts';
import { classOf, compose } from './compose.ts';
import { newReportId, writeReport } from './report-files.ts';
import type { MemoryReader } from './shared-memory.ts';
import type { HangTrigger } from '../../core/model/hang.ts';
import type { HangReport, HangSummary, StackFrame } from './report.ts';
import type { StackTaking } from './stack.ts';
import { takeStack } from './stack.ts';
import { isInKernel, mainRanMsOf, threadsOf } from './thread-facts.ts';
import type { WatchSettings } from './thread-messages.ts';

/** Of a processor; the slowest interrupt took 142 ms. */
const ranMs = 400;
/** Three heartbeats are missing: whether it is a hang or not, a stack is worth a look. */
export const quietMs = 750;

interface ReporterParts {
  readonly memory: MemoryReader;
  readonly folder: string;
  readonly version: string;
  readonly settings: WatchSettings;
  readonly launcherMs: () => number | null;
}

interface Asked {
  readonly trigger: HangTrigger;
  readonly agent: AgentFinding | null;
  /** It counts as a block, whatever the silence is now. */
  readonly blocked?: boolean;
}

/** Somebody may ask again and again while it is blocked. */
const openMax = 10;

interface Open {
  readonly report: HangReport;
  /** Of the same clock as `performance.now()`. */
  readonly since: number;
  readonly stack: Promise<readonly StackFrame[] | null> | null;
}

export class Reporter {
  readonly #parts: ReporterParts;
  #settings: WatchSettings;
  #redactor: Redactor;
  #last: Promise<unknown> = Promise.resolve();
  #native: StackTaking | null = null;
  /** Reports of the block that goes on. */
  #open: Open[] = [];

  constructor(parts: ReporterParts) {
    this.#parts = parts;
    this.#settings = parts.settings;
    this.#redactor = makeRedactor(parts.settings.secrets);
  }

  set settings(settings: WatchSettings) {
    this.#settings = settings;
    this.#redactor = makeRedactor(settings.secrets);
  }

  /** Rejects when the report cannot be written; then it stands on standard error. */
  take(asked: Asked): Promise<HangSummary> {
    const taken = this.#last.then(() => this.#take(asked));
    this.#last = taken.catch(() => {});
    return taken;
  }

  /** The main loop runs again: the reports of the block are completed. Answers the first one's id, and how long it took. */
  async resumed(): Promise<{ readonly id: string; readonly afterMs: number } | null> {
    await this.#last;
    const open = this.#open.splice(0);
    const [first] = open;
    if (first === undefined) {
      return null;
    }
    const afterMs = Math.round(performance.now() - first.since);
    const native = open.find(({ stack }) => stack !== null)?.stack ?? null;
    const stack = native === null ? null : await native;
    this.#native?.giveUp();
    this.#native = null;
    for (const { report } of open) {
      this.#write({ ...report, resumed: { afterMs, stack } });
    }
    return { id: first.report.id, afterMs };
  }

  async #take({ trigger, agent, blocked = false }: Asked): Promise<HangSummary> {
    const { memory, folder, version, launcherMs } = this.#parts;
    const lagMs = memory.lagMs;
    const isBlocked = agent === null && (blocked || lagMs >= quietMs);
    const began = performance.now() - lagMs;
    const stack = isBlocked ? await this.#stack() : null;
    const snapshot = memory.snapshot();
    const at = Date.now();
    const about = { blocked: isBlocked, agent, snapshot };
    const known: Known = {
      ...about,
      id: newReportId(folder, at, classOf(about)),
      at,
      trigger,
      version,
      launcherMs: launcherMs(),
      lagMs: isBlocked ? Math.round(performance.now() - began) : lagMs,
      stack,
    };
    const report = compose(known);
    if (isBlocked && this.#open.length < openMax) {
      this.#open.push({ report, since: began, stack: this.#native?.later ?? null });
    }
    return this.#write(report);
  }

  async #stack(): Promise<readonly StackFrame[] | null> {
    // One that is open has asked already: the main thread has not come back since.
    const ranBefore = mainRanMsOf(process.pid);
    const isNative = (): boolean => {
      const ran = mainRanMsOf(process.pid);
      // It waits in the kernel; or it has run for longer than an interrupt ever took, and was not interrupted.
      return isInKernel(threadsOf(process.pid)) || (ran !== null && ranBefore !== null && ran - ranBefore > ranMs);
    };
    const taking = this.#native ?? takeStack(isNative);
    this.#native = taking;
    const stack = await taking.stack;
    if (stack !== null) {
      this.#native = null;
    }
    return stack;
  }

  #write(report: HangReport): HangSummary {
    const shown = this.#redactor.value(report) as HangReport;
    const { id, at, class: what, trigger, summary, session } = shown;
    const { folder } = this.#parts;
    try {
      writeReport(folder, shown);
    } catch (error) {
      const problem = `the hang report could not be written to ${folder}: ${error instanceof Error ? error.message : String(error)}`;
      this.#say({ msg: problem, report: shown });
      throw new Error(problem, { cause: error });
    }
    return { id, at, class: what, trigger, summary, session, file: join(folder, `${id}.json`) };
  }

  /** A line of the log as the main thread writes it, without the main thread. */
  tell(report: HangSummary): void {
    this.#say({ msg: report.summary, class: report.class, report: report.file });
  }

  #say(fields: object): void {
    if (!this.#settings.log) {
      return;
    }
    try {
      writeSync(2, `${JSON.stringify({ level: 50, time: Date.now(), ...fields })}\n`);
    } catch {
      // Nobody reads.
    }
  }
}

/**
 * What every agent driver must do, as cases that any test runner can run. A subject brings its driver and says which
 * prompt makes its agent behave in which way; a behaviour that it cannot show carries the reason, and its cases are skipped
 * with it.
 */
import assert from 'node:assert/strict';
import { processInfo } from '../../supervise/index.ts';
import type { AgentDriver } from '../../agents/port.ts';
import { AgentProbe, type ProbeOptions } from './probe.ts';

/** `never-ready` must give up by itself within a second or so. */
export type Variant = 'plain' | 'unstartable' | 'never-ready';

export type Behaviour =
  /** Says something in several pieces and completes. */
  | 'answer'
  /** Says one piece after the other until it is interrupted; acknowledges at once. */
  | 'forever'
  /** As `forever`; the ack comes late, never, twice, after the result, well before it, or in one read with it. */
  | 'ack-late'
  | 'ack-never'
  | 'ack-twice'
  | 'ack-after-result'
  | 'ack-before-result'
  | 'ack-with-result'
  /** As `forever`; the receipt says that no result will come, and none does. */
  | 'ack-none'
  /** As `forever`; acknowledges, and never sends a result. */
  | 'no-result'
  /** As `forever`; ignores an interrupt. */
  | 'deaf'
  /** Completes, and the result arrives in several reads. */
  | 'split-result'
  /** Completes, and the whole turn arrives in one read. */
  | 'merged'
  | 'empty'
  | 'fail'
  | 'result-twice'
  /** Ends its process in the middle of the turn. */
  | 'die'
  /** Ends its process in the middle of a message. */
  | 'die-half'
  /** Closes its stdout in the middle of the turn and keeps running. */
  | 'hang-up'
  | 'garbage'
  /** Writes one line beyond the driver's bound (which the subject sets to 1 MiB or less), then completes. */
  | 'huge-line'
  /** Writes 10 MB to stderr, then completes. */
  | 'stderr'
  | 'unsolicited'
  /** Completes, and a command that it has begun goes on and ends by itself soon after. */
  | 'background'
  /** As `forever`, and ignores SIGTERM and the end of stdin. */
  | 'stubborn'
  /** Neither reads nor writes nor reacts to SIGTERM. */
  | 'blocked'
  /** As `forever`, with a child process that holds its stdout: in its group, and outside. `output` of kind tool: `{pid}`. */
  | 'grandchild'
  | 'grandchild-outside'
  /** Answers with the prompts that the conversation holds. */
  | 'history'
  /** Runs a tool that lasts a minute or more: a separate process where the agent has real ones. `output` of kind tool. */
  | 'tool'
  /** Asks for permission to execute something, does it if it may, and completes either way (or ends the turn when denied). */
  | 'ask'
  /** Asks, and takes the request back by itself; then completes. */
  | 'ask-withdrawn'
  /** Says nothing at all: the model has accepted the request and is silent. */
  | 'hang'
  /** Says a piece, then nothing more. */
  | 'silent'
  /** The model's API answers with this status, each time. */
  | 'api-400'
  | 'api-401'
  | 'api-429'
  | 'api-500'
  | 'api-529'
  /** The connection to the model breaks in mid-stream, each time. */
  | 'api-drop'
  /** The API answers 429 once; the turn completes. */
  | 'api-429-once'
  /** Sends its client a request that no dialect knows, and completes when that has been answered. */
  | 'odd-request';

export interface Unable {
  readonly unable: string;
}

export interface DriverSubject {
  readonly name: string;
  driver(variant: Variant): AgentDriver | Unable;
  readonly prompts: { readonly [behaviour in Behaviour]: string | Unable };
  readonly steers: true | Unable;
  /** Prompt of an endless turn that takes a steered message from its first output on, where `forever` does not. */
  readonly steerable?: string;
  readonly resumes: true | Unable;
  /** It can tell that a conversation is not known to it. */
  readonly loses: true | Unable;
  readonly rewinds: true | Unable;
  /** It tells what a turn has used. */
  readonly reportsUsage: true | Unable;
  /** It changes its model by protocol; the name of a model other than the default. */
  readonly models: { readonly other: string } | Unable;
  /** Prompts that its program takes for a command of its own, or for the mention of a file; left out where it has none. */
  readonly commands?: readonly string[];
  /** Living processes of the tools that its agents run; left out where tools have none. */
  readonly tools?: () => readonly number[];
  /** How long one wait may take; real programs start slowly. Default 20,000. */
  readonly deadlineMs?: number;
  /** Ends a process that the agent let loose outside of its group; the driver is not asked to. */
  readonly endStray?: (pid: number) => void;
}

export interface ContractCase {
  readonly title: string;
  /** Why the subject cannot be asked; null: it can. */
  skip(subject: DriverSubject): string | null;
  run(subject: DriverSubject): Promise<void>;
}

/** What a case works with: the driver, and the prompts it asked for. */
interface Bench<B extends Behaviour> {
  /** Starts an agent. */
  readonly begin: (options?: ProbeOptions) => AgentProbe;
  /** Starts an agent and waits until it is ready. */
  readonly ready: (conversation?: string | null, options?: Omit<ProbeOptions, 'conversation'>) => Promise<AgentProbe>;
  readonly say: { readonly [behaviour in B]: string };
  readonly subject: DriverSubject;
}

type Ability = 'steers' | 'resumes' | 'loses' | 'rewinds' | 'reportsUsage' | 'models';

interface Needs<B extends Behaviour> {
  readonly variant?: Variant;
  readonly prompts?: readonly B[];
  readonly abilities?: readonly Ability[];
}

/** Makes a case; a subject that lacks a need is skipped with its own reason. */
export function contractCase<B extends Behaviour = never>(
  title: string,
  needs: Needs<B>,
  run: (bench: Bench<B>) => Promise<void>,
): ContractCase {
  const lacking = (subject: DriverSubject): string | null => {
    const wanted = [
      subject.driver(needs.variant ?? 'plain'),
      ...(needs.prompts ?? []).map((behaviour) => subject.prompts[behaviour]),
      ...(needs.abilities ?? []).map((ability) => subject[ability]),
    ];
    return wanted.find((one) => isUnable(one))?.unable ?? null;
  };
  return {
    title,
    skip: lacking,
    async run(subject) {
      const driver = subject.driver(needs.variant ?? 'plain');
      assert.ok(!isUnable(driver));
      const say = Object.fromEntries(
        (needs.prompts ?? []).map((one) => [one, subject.prompts[one]]),
      ) as Bench<B>['say'];
      const begin = (options: ProbeOptions = {}): AgentProbe =>
        new AgentProbe(driver, {
          ...(subject.deadlineMs === undefined ? {} : { deadlineMs: subject.deadlineMs }),
          ...options,
        });
      await run({
        begin,
        async ready(conversation = null, options = {}) {
          const probe = begin({ ...options, conversation });
          await probe.ready();
          return probe;
        },
        say,
        subject,
      });
    },
  };
}

export function isUnable(value: unknown): value is Unable {
  return typeof value === 'object' && value !== null && 'unable' in value;
}

/** One whole turn of the `answer` kind: proves that the agent is at a boundary and in order. */
export async function takesTurn(probe: AgentProbe, turn: number, prompt: string): Promise<void> {
  probe.prompt(turn, prompt);
  const { result } = await probe.result(turn);
  assert.equal(result.outcome, 'completed');
  assert.equal(result.empty, false);
}

/** Position of the first event that fits, for assertions on order. */
export function indexOf(probe: AgentProbe, type: string, turn: number): number {
  return probe.events.findIndex((event) => event.type === type && 'turn' in event && event.turn === turn);
}

/** No such process, or nothing of it but its entry. */
export function goneFromSystem(pid: number): boolean {
  const now = processInfo(pid);
  return now === null || now.zombie;
}

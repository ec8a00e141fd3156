/**
 * What every agent driver must do, as cases that any test runner can run. A subject brings its driver and says which
 * prompt makes its agent behave in which way; a behaviour that it cannot show carries the reason, and its cases are skipped
 * with it.
 */
import assert from 'node:assert/strict';
import { processInfo } from '../../supervise/index.ts';
import type { AgentDriver } from '../port.ts';
import { AgentProbe } from './probe.ts';

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
  /** As `forever`; takes no notice of an interrupt. */
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
  | 'garbage'
  /** Writes one line beyond the driver's bound (which the subject sets to 1 MiB or less), then completes. */
  | 'huge-line'
  /** Writes 10 MB to stderr, then completes. */
  | 'stderr'
  | 'unsolicited'
  /** As `forever`, and ignores SIGTERM and the end of stdin. */
  | 'stubborn'
  /** Neither reads nor writes nor reacts to SIGTERM. */
  | 'blocked'
  /** As `forever`, with a child of its own that holds its stdout: in its group, and outside. `output` of kind tool: `{pid}`. */
  | 'grandchild'
  | 'grandchild-outside'
  /** Answers with the prompts that the conversation holds. */
  | 'history';

export interface Unable {
  readonly unable: string;
}

export interface DriverSubject {
  readonly name: string;
  driver(variant: Variant): AgentDriver | Unable;
  readonly prompts: { readonly [behaviour in Behaviour]: string | Unable };
  readonly steers: true | Unable;
  readonly resumes: true | Unable;
  /** It can tell that a conversation is not known to it. */
  readonly loses: true | Unable;
  readonly rewinds: true | Unable;
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
export interface Bench<B extends Behaviour> {
  readonly driver: AgentDriver;
  readonly say: { readonly [behaviour in B]: string };
  readonly subject: DriverSubject;
}

interface Needs<B extends Behaviour> {
  readonly variant?: Variant;
  readonly prompts?: readonly B[];
  readonly abilities?: readonly ('steers' | 'resumes' | 'loses' | 'rewinds')[];
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
      await run({ driver, say, subject });
    },
  };
}

function isUnable(value: unknown): value is Unable {
  return typeof value === 'object' && value !== null && 'unable' in value;
}

/** A started agent that has said `ready`. */
export async function readyAgent(driver: AgentDriver, conversation: string | null = null): Promise<AgentProbe> {
  const probe = new AgentProbe(driver, { conversation });
  await probe.ready();
  return probe;
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

/**
 * The rules by which nodes share sessions, each as the statement, the launcher or the watcher keeps it. The mutants of the protocol are edits of
 * this file: each rule is needed, and `check:mutants` has the run that goes wrong without it.
 */
import type { LeaseTimes } from '../../src/protocol/lease-times.ts';

export interface NodeRules {
  /** Who stops the agents. A daemon may be stopped itself. */
  readonly guard: 'launcher' | 'daemon';
  /** A renewal finds its row. */
  readonly renews: (state: 'up' | 'dead') => boolean;
  /** The age of the lease that an answered renewal gives. */
  readonly leaseAge: (sinceSent: number, sinceAnswer: number) => number;
  /** An answer gives a lease, and thaws what stands still. */
  readonly extends: (sinceSent: number, times: LeaseTimes) => boolean;
  /** The launcher lets an agent begin. `alone`: the one before it is gone. */
  readonly starts: (leaseAge: number, alone: boolean, times: LeaseTimes) => boolean;
  /** How long it takes at most until signals have done their work. */
  readonly stopTakes: (times: LeaseTimes) => number;
  /** The next renewal is to be sent. */
  readonly isDue: (sinceSent: number, sinceAnswer: number, times: LeaseTimes) => boolean;
  /** How long a node was silent: by the watcher's clock, by that of the database, or by the age of the row that the database has. */
  readonly silence: (own: number, database: number, rowAge: number) => number;
  /** Where the watcher begins to count when it has got another beat. */
  readonly watchFrom: (sinceSent: number, sinceAnswer: number) => number;
  /** The watcher begins to count again. */
  readonly hasChanged: (otherBeat: boolean, otherEra: boolean) => boolean;
  /** The statement that declares a death still finds what the watcher saw. */
  readonly declares: (sameBeat: boolean, sameEra: boolean) => boolean;
  /** After a failover: ownership is compared before a renewal gives a lease. */
  readonly keeps: (owns: boolean) => boolean;
  /** A lease that has lapsed is taken up again. `settled`: a time-to-live has passed since a node met this era. */
  readonly resumes: (sameEra: boolean, settled: boolean) => boolean;
  /** A session may be claimed. */
  readonly claims: (settled: boolean) => boolean;

  /** A commit is taken, compared with the session's row where it is carried out. */
  readonly writes: (sameOwner: boolean, sameLease: boolean, sameVersion: boolean) => boolean;
  /** The lease of whoever claims. */
  readonly leaseAfter: (lease: number) => number;
  /** A session is given back by a statement that came this late. */
  readonly frees: (sameOwner: boolean, sameLease: boolean) => boolean;
  /** When the row of a letter goes: before the commit that applies it, in it, or after. */
  readonly takesOut: 'before' | 'in' | 'after';
  /** A commit that applies letters is taken. `all`: it has found them all. */
  readonly applies: (all: boolean) => boolean;
  /** What makes a command accepted: its row, or that its owner was told. */
  readonly accepted: 'row' | 'hint';
}

export const nodeRules: NodeRules = {
  guard: 'launcher',
  renews: (state) => state === 'up',
  leaseAge: (sinceSent) => sinceSent,
  extends: (sinceSent, times) => sinceSent < times.freezeMs,
  starts: (leaseAge, alone, times) => alone && leaseAge < times.freezeMs,
  stopTakes: (times) => times.stopMs,
  isDue: (sinceSent, _sinceAnswer, times) => sinceSent >= times.renewMs,
  silence: (own) => own,
  watchFrom: (_sinceSent, sinceAnswer) => sinceAnswer,
  hasChanged: (otherBeat, otherEra) => otherBeat || otherEra,
  declares: (sameBeat, sameEra) => sameBeat && sameEra,
  keeps: (owns) => owns,
  resumes: (sameEra, settled) => sameEra || settled,
  claims: (settled) => settled,

  writes: (sameOwner, sameLease, sameVersion) => sameOwner && sameLease && sameVersion,
  leaseAfter: (lease) => lease + 1,
  frees: (sameOwner, sameLease) => sameOwner && sameLease,
  takesOut: 'in',
  applies: (all) => all,
  accepted: 'row',
};

/** Nodes on one store: when agents stand still, who is dead, what a failover takes back, and what becomes of writes and letters. */
import type { Mutant } from './mutant.ts';
import { mutant } from './mutant.ts';

const rule = (name: string, config: string, from: string, to: string): Mutant => ({
  name,
  config,
  root: 'check/nodes',
  file: 'rules.ts',
  from,
  to,
});

const times = (name: string, config: string, from: string, to: string): Mutant => ({
  name,
  config,
  root: 'src/protocol',
  file: 'lease-times.ts',
  from,
  to,
});

export const nodes: readonly Mutant[] = [
  times('agents are frozen at the lapse', 'nodes-freeze', 'freezeMs: ttlMs * 0.65', 'freezeMs: ttlMs'),
  times('agents of a silent daemon are ended at the lapse', 'nodes-lease', 'killMs: ttlMs * 0.8', 'killMs: ttlMs'),
  times(
    'agents of a silent daemon are ended without a margin',
    'nodes-lease',
    'killMs: ttlMs * 0.8',
    'killMs: ttlMs * 0.85',
  ),
  times('one lost renewal stops everything', 'nodes-renewals', 'renewMs: ttlMs / 4', 'renewMs: ttlMs / 3'),
  rule(
    'the next renewal waits for the answer to the one before',
    'nodes-renewals',
    '(sinceSent, _sinceAnswer, times) => sinceSent >=',
    '(_sinceSent, sinceAnswer, times) => sinceAnswer >=',
  ),
  rule('the daemon stops its own agents', 'nodes-freeze', "guard: 'launcher',", "guard: 'daemon',"),
  rule(
    'the lease is counted from the answer to a renewal',
    'nodes-freeze',
    'leaseAge: (sinceSent) => sinceSent',
    'leaseAge: (_sinceSent, sinceAnswer) => sinceAnswer',
  ),
  rule('the end of an agent takes longer than was said', 'nodes-lease', '=> times.stopMs', '=> times.stopMs * 2'),
  rule(
    'a node is silent by the clock of the database',
    'nodes-freeze',
    'silence: (own) => own',
    'silence: (_own, database) => database',
  ),
  rule(
    'a failover loses a renewal, and the age of the row counts',
    'nodes-failover',
    'silence: (own) => own',
    'silence: (_own, _database, rowAge) => rowAge',
  ),
  rule('a dead node renews', 'nodes-freeze', "renews: (state) => state === 'up'", 'renews: () => true'),
  rule(
    'an incarnation goes on while its agent is being ended',
    'nodes-lease',
    '=> alone && leaseAge',
    '=> (alone || leaseAge >= 0) && leaseAge',
  ),
  rule(
    'an agent is started when its lease has passed',
    'nodes-freeze',
    'alone && leaseAge < times.freezeMs',
    'alone && leaseAge < times.freezeMs * 9',
  ),
  rule(
    'a death is declared without another look at the beat',
    'nodes-freeze',
    'declares: (sameBeat, sameEra) => sameBeat && sameEra',
    'declares: (_sameBeat, sameEra) => sameEra',
  ),
  rule(
    'any answered renewal thaws',
    'nodes-freeze',
    'extends: (sinceSent, times) => sinceSent < times.freezeMs',
    'extends: (sinceSent, times) => sinceSent < times.freezeMs * 9',
  ),
  rule(
    'a watcher counts from the sending of its look',
    'nodes-freeze',
    'watchFrom: (_sinceSent, sinceAnswer) => sinceAnswer',
    'watchFrom: (sinceSent) => sinceSent',
  ),
  rule(
    'a watcher counts on over a failover',
    'nodes-failover',
    'hasChanged: (otherBeat, otherEra) => otherBeat || otherEra',
    'hasChanged: (otherBeat) => otherBeat',
  ),
  rule(
    'a death that was seen before a failover is declared after it',
    'nodes-failover',
    'declares: (sameBeat, sameEra) => sameBeat && sameEra',
    'declares: (sameBeat) => sameBeat',
  ),
  rule(
    'a node does not compare what it owns after a failover',
    'nodes-failover-claims',
    'keeps: (owns) => owns',
    'keeps: () => true',
  ),
  rule(
    'a renewal thaws at once after a failover',
    'nodes-failover',
    'resumes: (sameEra, settled) => sameEra || settled',
    'resumes: () => true',
  ),
  rule(
    'a session is claimed at once after a failover',
    'nodes-failover-claims',
    'claims: (settled) => settled',
    'claims: () => true',
  ),
  rule(
    'ownership is looked at where a session is claimed, and not where it is written',
    'nodes-letters',
    'sameOwner && sameLease && sameVersion',
    'sameVersion || !sameVersion || (sameOwner && sameLease)',
  ),
  rule(
    'a write is fenced by the version alone',
    'nodes-letters',
    'sameOwner && sameLease && sameVersion',
    'sameVersion && (sameOwner || !sameOwner || sameLease)',
  ),
  rule(
    'a write is not fenced by the version',
    'nodes-letters',
    'sameOwner && sameLease && sameVersion',
    'sameOwner && sameLease && (sameVersion || !sameVersion)',
  ),
  rule(
    'a takeover gives no new lease',
    'nodes-letters',
    'leaseAfter: (lease) => lease + 1',
    'leaseAfter: (lease) => lease',
  ),
  rule(
    'a session is given back by a statement of an earlier lease',
    'nodes-letters',
    'frees: (sameOwner, sameLease) => sameOwner && sameLease',
    'frees: (sameOwner) => sameOwner',
  ),
  rule('a letter goes before the commit that applies it', 'nodes-letters', "takesOut: 'in'", "takesOut: 'before'"),
  rule('a letter goes after the commit that applies it', 'nodes-letters', "takesOut: 'in'", "takesOut: 'after'"),
  rule('a letter is applied that was withdrawn', 'nodes-letters', 'applies: (all) => all', 'applies: () => true'),
  rule('a command is accepted when its owner has a hint', 'nodes-letters', "accepted: 'row',", "accepted: 'hint',"),
  mutant(
    'whoever takes a session over counts its turns and agents from the beginning',
    'nodes-letters-interrupt',
    'rebuild',
    '    ...row,\n    conversation:',
    '    ...row,\n    turns: empty.turns,\n    incarnations: empty.incarnations,\n    conversation:',
  ),
  mutant(
    'whoever takes a session over counts its epochs from the beginning',
    'nodes-letters',
    'rebuild',
    '    ...row,\n    conversation:',
    '    ...row,\n    epoch: empty.epoch,\n    conversation:',
  ),
];

/** The configurations of the nodes: of their leases, and of what they write and send. */
import type { LettersConfig } from './letters/world.ts';
import type { LeaseConfig } from './world.ts';

const usual: Omit<LeaseConfig, 'name' | 'about' | 'ttlTicks'> = {
  deep: false,
  kills: true,
  steady: false,
  stops: true,
  releases: false,
  failover: false,
};

/** The least time-to-live of which all times are whole. */
const exact = 20;
/** Of the shorter ones the least that leaves room for the end of a silent daemon's agent, and for freezing alone. */
const coarse = 40 / 3;
const short = 6;

export const leaseConfigs: readonly LeaseConfig[] = [
  {
    ...usual,
    name: 'nodes-renewals',
    about: 'a node that renews in time, and loses a renewal now and then',
    ttlTicks: exact,
    steady: true,
  },
  {
    ...usual,
    name: 'nodes-freeze',
    about:
      'a node whose daemon is stopped and wakes, whose launcher freezes, another that watches it, and a session that is given back',
    ttlTicks: short,
    kills: false,
    releases: true,
  },
  {
    ...usual,
    name: 'nodes-lease',
    about: 'the same with a launcher that ends the agent of a silent daemon',
    ttlTicks: coarse,
  },
  {
    ...usual,
    name: 'nodes-failover',
    about: 'two nodes, and a failover of the store that loses the last rows',
    ttlTicks: short,
    kills: false,
    failover: true,
  },
  {
    ...usual,
    name: 'nodes-failover-claims',
    about: 'the same with a session that is given back, and daemons that run on',
    stops: false,
    ttlTicks: short,
    kills: false,
    failover: true,
    releases: true,
  },
  {
    ...usual,
    name: 'nodes-failover-all',
    about: 'a failover with all that can happen to A',
    deep: true,
    ttlTicks: short,
    kills: false,
    failover: true,
    releases: true,
  },
  {
    ...usual,
    name: 'nodes-exact',
    about: 'the two nodes with exact times',
    deep: true,
    ttlTicks: exact,
    releases: true,
  },
];

export const leaseConfigNamed = (name: string): LeaseConfig | undefined =>
  leaseConfigs.find((config) => config.name === name);

export const lettersConfigs: readonly LettersConfig[] = [
  {
    name: 'nodes-letters',
    about:
      'two nodes at one session: a task and its cancel by letter, withdrawals, late writes, a takeover with an interrupt under way',
    deep: false,
    letters: ['submit', 'cancel'],
    maxClaims: 2,
  },
  {
    name: 'nodes-letters-claims',
    about: 'the same with another takeover',
    deep: true,
    letters: ['submit', 'cancel'],
    maxClaims: 3,
  },
  {
    name: 'nodes-letters-interrupt',
    about: 'the same with a message that interrupts',
    deep: false,
    letters: ['submit', 'interrupt'],
    maxClaims: 2,
  },
];

export const lettersConfigNamed = (name: string): LettersConfig | undefined =>
  lettersConfigs.find((config) => config.name === name);

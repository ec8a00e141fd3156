import type { ContractCase } from './contract.ts';
import { endCases } from './ends.ts';
import { permissionCases } from './permissions.ts';
import { providerCases } from './provider.ts';
import { timingCases } from './timing.ts';
import { turnCases } from './turns.ts';
import { wordCases } from './words.ts';

/** All cases, for any test runner: skip with the reason that `skip` gives, else `run`. */
export const driverContract: readonly ContractCase[] = [
  ...turnCases,
  ...timingCases,
  ...permissionCases,
  ...providerCases,
  ...wordCases,
  ...endCases,
];

export type { Behaviour, ContractCase, DriverSubject, Unable, Variant } from './contract.ts';
export { AgentProbe } from './probe.ts';
export type { EventOf, ProbeOptions } from './probe.ts';

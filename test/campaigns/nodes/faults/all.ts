import type { Fault } from './fault.ts';
import { linkFaults } from './links.ts';
import { processFaults } from './processes.ts';
import { serverFaults } from './server.ts';

export const faults: readonly Fault[] = [...processFaults, ...linkFaults, ...serverFaults];

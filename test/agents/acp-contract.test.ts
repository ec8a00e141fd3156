/** The ACP driver through the contract of all drivers, in the manner of each program that has a profile. */
import { afterAll, describe } from 'vitest';
import { contractTests } from './contract-tests.ts';
import { profiles } from '../../src/agents/acp/profiles/index.ts';
import type { ProfileName } from '../../src/agents/acp/profiles/index.ts';
import { driverContract } from '../../src/testing/agents/index.ts';
import { acpPlayer } from './acp-subjects.ts';

/** Where programs differ. All else is the driver's own, and shown with the plain protocol. */
const ofDialects =
  /resumes a conv|S12|C05: an interrupt 0 ms|D06|steered|permission request|C27: .*change|used|S13|W02/;

describe.each(Object.keys(profiles) as ProfileName[])('the agent contract holds for %s', (profile) => {
  const player = acpPlayer(profile);
  afterAll(() => player[Symbol.dispose]());
  const cases = driverContract.filter(({ title }) => profile === 'acp' || ofDialects.test(title));

  contractTests(profile, () => player.subject, { cases });
});

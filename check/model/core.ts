/** The functions of the core and of the nodes that the checker drives, so that a mutated copy of them can be driven as well. */
import type { Input } from '../../src/core/model/inputs.ts';
import type { Limits, Session } from '../../src/core/model/session.ts';
import type { SessionKey } from '../../src/core/model/ids.ts';
import type { Record as StepRecord } from '../../src/core/model/records.ts';
import type { StepResult } from '../../src/core/model/replies.ts';
import type { Durable } from '../../src/core/rebuild.ts';
import type { NodesCore } from '../nodes/world.ts';
import type { SlotsCore } from '../slots/world.ts';
import * as real from '../../src/core/index.ts';
import { leaseTimes } from '../../src/protocol/lease-times.ts';
import { nodeRules } from '../nodes/rules.ts';

export interface Core extends SlotsCore, NodesCore {
  readonly step: (session: Session, input: Input) => StepResult;
  readonly newSession: (key: SessionKey, limits: Limits) => Session;
  readonly rebuild: (durable: Durable, limits: Limits) => Session;
  readonly durableOf: (session: Session) => Durable;
  readonly foldRecords: (durable: Durable, records: readonly StepRecord[]) => Durable;
}

/** The one that ships. */
export const realCore: Core = { ...real, leaseTimes, nodeRules };

/** The one that ships with what a mutated copy has in place of it. `url`: of the copy's module. */
export const mutatedCore = async (url: string): Promise<Core> => ({
  ...realCore,
  ...((await import(url)) as Partial<Core>),
});

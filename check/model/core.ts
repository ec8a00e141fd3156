/** The functions of the core that the checker drives, so that a mutated copy of them can be driven as well. */
import type { Input } from '../../src/core/model/inputs.ts';
import type { Limits, Session } from '../../src/core/model/session.ts';
import type { SessionKey } from '../../src/core/model/ids.ts';
import type { Record as StepRecord } from '../../src/core/model/records.ts';
import type { StepResult } from '../../src/core/model/replies.ts';
import type { Durable } from '../../src/core/rebuild.ts';
import type { SlotsCore } from '../slots/world.ts';
import * as real from '../../src/core/index.ts';

export interface Core extends SlotsCore {
  readonly step: (session: Session, input: Input) => StepResult;
  readonly newSession: (key: SessionKey, limits: Limits) => Session;
  readonly rebuild: (durable: Durable, limits: Limits) => Session;
  readonly durableOf: (session: Session) => Durable;
  readonly foldRecords: (durable: Durable, records: readonly StepRecord[]) => Durable;
}

/** The one that ships. */
export const realCore: Core = real;

/** What every actor of a run shares. */
import type { Facts } from './facts.ts';
import type { Ledger } from './ledger.ts';
import type { Scheduler } from './scheduler.ts';
import type { Story } from './story.ts';

export interface Stage {
  readonly scheduler: Scheduler;
  readonly story: Story;
  readonly facts: Facts;
  readonly ledger: Ledger;
  /** No faults and no bad manners any more: everything that is open must come to its end. */
  readonly calm: boolean;
  /** How late a timer is, virtual ms. */
  late(): number;
  /** The first violation ends the run. */
  violate(rule: string, what: string): void;
}

/** What is known of the turn that the program was prompted for. Owned by the agent, one at a time. */
import type { TurnId } from '../../core/model/ids.ts';
import { TurnOutput } from '../shared/turn-output.ts';
import { Permissions } from './permissions.ts';

export class ProcessTurn {
  readonly id: TurnId;
  /** The program has said `started`. */
  started = false;
  readonly output = new TurnOutput();
  readonly permissions = new Permissions();

  constructor(id: TurnId) {
    this.id = id;
  }
}

/** Takes an input through the core, and carries its effects out as the shell of the daemon does. */
import { claimId, type ClaimId } from '../../src/core/model/ids.ts';
import type { SlotsEffect, SlotsInput } from '../../src/core/slots/model.ts';
import { judge } from './oracles.ts';
import type { Action, Asked, Found, Party, SlotsCore, World } from './world.ts';

/** More than one action needs. */
const manyInputs = 20;

/** One action: the world while it is taken. */
export class Taking {
  world: World;
  readonly #core: SlotsCore;
  readonly #found: Found;
  readonly #inputs: SlotsInput[] = [];
  readonly #effects: SlotsEffect[] = [];

  constructor(core: SlotsCore, world: World, found: Found) {
    this.#core = core;
    this.world = world;
    this.#found = found;
  }

  action(who: string, does: string): Action {
    return { who, does, inputs: this.#inputs, effects: this.#effects };
  }

  change(at: number, change: Partial<Party>): void {
    const parties = this.world.parties.map((party, index) => (index === at ? { ...party, ...change } : party));
    this.world = { ...this.world, parties };
  }

  nextClaim(): ClaimId {
    const claims = this.world.claims + 1;
    this.world = { ...this.world, claims };
    return claimId(claims);
  }

  input(input: SlotsInput): void {
    const before = this.world;
    const { slots, effects } = this.#core.stepSlots(before.slots, input);
    this.#inputs.push(input);
    this.#effects.push(...effects);
    this.world = { ...before, slots };
    const follow: SlotsInput[] = [];
    for (const effect of effects) {
      this.#run(effect, follow);
    }
    judge(before, input, effects, this.world, this.#found);
    if (this.#inputs.length > manyInputs) {
      this.#found('slots/2: a folder of another process is not tried without end', `${this.#inputs.length} inputs`);
      return;
    }
    for (const next of follow) {
      this.input(next);
    }
  }

  #partyOf(claim: ClaimId): number {
    return this.world.parties.findIndex((party) => party.claim === claim);
  }

  #run(effect: SlotsEffect, follow: SlotsInput[]): void {
    const { claim, type } = effect;
    const at = this.#partyOf(claim);
    if (type === 'arm' || type === 'disarm') {
      this.#setTimer(effect);
      return;
    }
    const party = this.world.parties[at];
    if (party === undefined) {
      this.#found('an effect names a live claim', `${type} ${claim}`);
      return;
    }
    if (type === 'grant') {
      if (party.folder !== null && this.world.other) {
        follow.push({ type: 'foreign', claim });
      } else {
        this.change(at, { use: 'starting', turn: 0, leaves: false, inbox: null });
      }
      return;
    }
    const asked: Asked = { what: type, turn: type === 'give-way' ? effect.turn : 0 };
    this.change(at, { inbox: asked });
  }

  #setTimer({ type, name, claim }: Extract<SlotsEffect, { type: 'arm' | 'disarm' }>): void {
    const which = name === 'wait' ? 'waits' : 'windows';
    const armed = new Set(this.world[which]);
    if (type === 'arm' ? armed.has(claim) : !armed.has(claim)) {
      this.#found('a deadline is armed once, and disarmed where it is armed', `${type} ${name} ${claim}`);
    }
    if (type === 'arm') {
      armed.add(claim);
    } else {
      armed.delete(claim);
    }
    this.world = { ...this.world, [which]: armed };
  }

  /** The deadline passes. */
  fire(name: 'wait' | 'protected', claim: ClaimId): void {
    const which = name === 'wait' ? 'waits' : 'windows';
    const armed = new Set(this.world[which]);
    armed.delete(claim);
    this.world = { ...this.world, [which]: armed };
    this.input({ type: 'timer', name, claim });
  }
}

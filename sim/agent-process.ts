/**
 * The far side of the pipe: one simulated agent, with its own ideas about the protocol.
 *
 * Owns its jobs (they end with it). Messages in: prompt, interrupt, steer, answer, switch, close, kill, as they arrive. Out: events,
 * `exit` last.
 *  sim-agent-process/1 It never takes two turns at once; a prompt that finds it in a turn of ours is a fault of the daemon.
 *  sim-agent-process/2 An interrupt that names another turn than its own is answered for that turn, and stops nothing.
 */
import type { AgentEvent } from '../src/agents/port.ts';
import { type TurnId, turnId } from '../src/core/model/ids.ts';
import type { TurnResult } from '../src/core/model/session.ts';
import { type AskManner, drawManner, drawSwitch, type Manner, type Traits } from './manners.ts';
import type { Random } from './random.ts';
import { Owner } from './scheduler.ts';
import type { Stage } from './stage.ts';

interface Work {
  readonly id: TurnId;
  readonly manner: Manner;
  interrupts: number;
  stopped: boolean;
  /** Requests made, and how it goes on when one of those it waits for is answered. */
  asked: number;
  readonly waits: Map<string, () => void>;
}

interface ProcessParts {
  readonly stage: Stage;
  readonly name: string;
  readonly traits: Traits;
  readonly random: Random;
  readonly emit: (event: AgentEvent) => void;
  readonly exit: (reason: string) => void;
  /** What it really said about a turn that it really took. */
  readonly stated: (turn: TurnId, outcome: TurnResult['outcome']) => void;
}

export class AgentProcess {
  readonly owner: Owner;
  readonly #parts: ProcessParts;
  #work: Work | null = null;
  #unsolicited = false;
  #waiting: TurnId | null = null;

  constructor(parts: ProcessParts, ready: () => void) {
    this.#parts = parts;
    this.owner = new Owner(`process ${parts.name}`);
    const { traits } = parts;
    if (traits.start === 'ready') {
      this.#later(traits.startsIn, 'ready', () => {
        ready();
        if (traits.garbage) {
          parts.emit({ type: 'output', turn: null, part: { kind: 'raw', data: { junk: '\u0000{"half":' } } });
        }
      });
    } else if (traits.start === 'dies') {
      this.#later(traits.startsIn, 'dies at start', () => this.die('exit 1'));
    }
    if (traits.livesFor !== null) {
      this.#later(traits.livesFor, 'dies', () => this.die('signal 11'));
    }
    if (traits.unsolicitedAfter !== null && traits.start === 'ready') {
      this.#later(traits.startsIn + traits.unsolicitedAfter, 'unsolicited', () => this.#unsolicitedTurn());
    }
  }

  get alive(): boolean {
    return this.owner.alive;
  }

  prompt(turn: TurnId): void {
    if (this.#work !== null) {
      this.#parts.stage.violate(
        'one turn at a time',
        `${this.#parts.name} got turn ${turn} in its turn ${this.#work.id}`,
      );
    }
    if (this.#unsolicited) {
      // The two crossed on the wire; it takes the prompt when its own turn is over.
      this.#waiting = turn;
      return;
    }
    this.#begin(turn);
  }

  interrupt(turn: TurnId): void {
    const work = this.#work;
    if (work === null || work.id !== turn) {
      if (work !== null && turn !== this.#waiting) {
        this.#parts.stage.violate(
          'interrupts name the running turn',
          `${this.#parts.name} runs ${work.id}, not ${turn}`,
        );
      }
      if (this.#parts.random.chance(0.8)) {
        this.#ack(turn);
      }
      return;
    }
    work.interrupts += 1;
    this.#interrupted(work);
  }

  steer(turn: TurnId, id: string): void {
    const { emit, traits } = this.#parts;
    const work = this.#work;
    if (!traits.caps.steer || work === null || work.id !== turn) {
      emit({ type: 'steered', turn, id, delivered: false });
      return;
    }
    const { steer } = work.manner;
    if (steer !== 'unanswered') {
      emit({ type: 'steered', turn, id, delivered: steer !== 'not-taken' });
    }
    if (steer === 'twice') {
      emit({ type: 'steered', turn, id, delivered: false });
    }
  }

  /** What it does not wait for any more needs no answer. */
  answer(turn: TurnId, request: string): void {
    if (this.#work?.id === turn) {
      this.#decided(this.#work, request);
    }
  }

  switchModel(model: string | null): void {
    const { emit, random, stage } = this.#parts;
    const told = { type: 'switched', model, ok: true } as const;
    switch (drawSwitch(random, stage.calm)) {
      case 'ok':
        emit(told);
        return;
      case 'late':
        this.#later(random.int(0, 2000), 'switches', () => emit(told));
        return;
      case 'twice':
        emit(told);
        emit(told);
        return;
      case 'refuses':
        emit({ ...told, ok: false });
        return;
      case 'silent':
        return;
      case 'other':
        emit({ ...told, model: 'another' });
        return;
      case 'dies':
        this.die('exit 3');
        return;
    }
  }

  close(): void {
    this.#later(this.#parts.traits.closesIn, 'closes', () => this.die('closed'));
  }

  kill(): void {
    this.#later(this.#parts.traits.killedIn, 'is killed', () => this.die('killed'));
  }

  die(reason: string): void {
    if (this.owner.alive) {
      this.owner.alive = false;
      this.#parts.exit(reason);
    }
  }

  #begin(turn: TurnId): void {
    const { stage, random, emit, traits } = this.#parts;
    const manner = drawManner(random, stage.calm);
    const work: Work = { id: turn, manner, interrupts: 0, stopped: false, asked: 0, waits: new Map() };
    this.#work = work;
    if (manner.strays && turn > 1) {
      const old = turnId(turn - 1);
      emit({ type: 'started', turn: old });
      emit({ type: 'output', turn: old, part: { kind: 'text', text: 'late' } });
      emit({
        type: 'result',
        turn: old,
        result: { outcome: 'completed', empty: false, failure: null, report: { text: 'late' } },
      });
      emit({
        type: 'result',
        turn: turnId(turn + 1),
        result: { outcome: 'completed', empty: false, failure: null, report: { text: 'early' } },
      });
    }
    if (manner.started === 'late') {
      this.#during(work, 50 + manner.gap * 2, 'started', () => emit({ type: 'started', turn }));
    } else if (manner.started !== 'never') {
      emit({ type: 'started', turn });
    }
    if (manner.started === 'twice') {
      emit({ type: 'started', turn });
    }
    if (traits.garbage) {
      emit({ type: 'output', turn, part: { kind: 'raw', data: { line: '}}}garbage\u2028' } } });
    }
    this.#go(work, manner.outputs);
  }

  #go(work: Work, left: number): void {
    const { manner } = work;
    this.#during(work, manner.endless ? Math.max(40, manner.gap) : manner.gap, 'works', () => {
      const { stage, emit } = this.#parts;
      if (work.stopped) {
        return;
      }
      const next = manner.asks[work.asked];
      if (next !== undefined) {
        this.#ask(work, next, () => this.#go(work, left));
        return;
      }
      if (manner.retries !== null && left === manner.outputs) {
        emit({ type: 'retrying', turn: work.id, failure: manner.retries });
      }
      if (left > 0 || (manner.endless && !stage.calm)) {
        emit({ type: 'output', turn: work.id, part: { kind: 'text', text: `t${work.id}.${left}` } });
        this.#go(work, left - 1);
        return;
      }
      this.#end(work, stage.calm ? 'completed' : manner.end);
    });
  }

  #ask(work: Work, { ask, how, patience }: AskManner, next: () => void): void {
    const { emit } = this.#parts;
    const { id: turn } = work;
    const request = `r${(work.asked += 1)}`;
    const asked = { type: 'permission-requested', turn, request, action: ask, detail: { of: ask.title } } as const;
    emit(asked);
    if (how === 'goes-on') {
      next();
      return;
    }
    work.waits.set(request, next);
    if (how === 'twice') {
      emit(asked);
    } else if (how === 'withdraws') {
      this.#during(work, patience, 'withdraws', () => {
        if (work.waits.has(request)) {
          emit({ type: 'permission-withdrawn', turn, request });
          this.#decided(work, request);
        }
      });
    }
  }

  #decided(work: Work, request: string): void {
    const next = work.waits.get(request);
    work.waits.delete(request);
    next?.();
  }

  #end(work: Work, end: Manner['end']): void {
    switch (end) {
      case 'completed':
        this.#result(work, 'completed', false);
        return;
      case 'empty':
        this.#result(work, 'completed', true);
        return;
      case 'failed':
      case 'interrupted':
        this.#result(work, end, false);
        return;
      case 'dies':
        this.die('exit 70');
        return;
      case 'silent':
        return;
    }
  }

  #result(work: Work, outcome: TurnResult['outcome'], empty: boolean): void {
    const { emit, stated } = this.#parts;
    const failure = outcome === 'failed' ? work.manner.failure : null;
    const result = { outcome, empty, failure, report: { text: empty ? '' : `answer of turn ${work.id}` } };
    stated(work.id, outcome);
    emit({ type: 'result', turn: work.id, result });
    if (work.manner.endsTwice) {
      emit({ type: 'result', turn: work.id, result: { ...result, outcome: 'failed', failure: null } });
    }
    if (work.manner.strays) {
      emit({ type: 'ack', turn: work.id, noResult: false });
      emit({ type: 'output', turn: work.id, part: { kind: 'text', text: 'after the end' } });
    }
    this.#over(work);
  }

  #over(work: Work): void {
    if (this.#work === work) {
      this.#work = null;
    }
  }

  #ack(turn: TurnId, none = false): void {
    if (this.#parts.traits.caps.acks) {
      this.#parts.emit({ type: 'ack', turn, noResult: none });
    }
  }

  #interrupted(work: Work): void {
    const { emit, random, traits } = this.#parts;
    const { onInterrupt, asksLate } = work.manner;
    // Its driver tells it that nobody will answer; it goes on as it likes.
    for (const request of work.waits.keys()) {
      this.#decided(work, request);
    }
    if (asksLate) {
      const ask = { kind: 'execute', tool: 'Bash', title: 'ls' } as const;
      emit({
        type: 'permission-requested',
        turn: work.id,
        request: `late ${work.interrupts}`,
        action: ask,
        detail: null,
      });
    }
    const stop = (): void => this.#result(work, 'interrupted', random.chance(0.5));
    switch (onInterrupt) {
      case 'ack-twice':
        this.#ack(work.id);
        this.#ack(work.id);
        stop();
        return;
      case 'ack-result':
        this.#ack(work.id);
        stop();
        return;
      case 'result-ack':
        stop();
        this.#ack(work.id);
        return;
      case 'no-result':
        if (traits.caps.acks) {
          this.#ack(work.id, true);
          this.#over(work);
        } else {
          stop();
        }
        return;
      case 'ack-late':
        work.stopped = true;
        this.#during(work, random.int(0, 2000), 'acks late', () => {
          this.#ack(work.id);
          stop();
        });
        return;
      case 'ack-only':
        work.stopped = true;
        this.#ack(work.id);
        if (work.interrupts > 1) {
          stop();
        }
        return;
      case 'ack-runs-on':
        this.#ack(work.id);
        return;
      case 'result-only':
        stop();
        return;
      case 'fails':
        this.#ack(work.id);
        this.#result(work, 'failed', false);
        return;
      case 'ignores':
        return;
      case 'dies':
        this.die('signal 2');
        return;
    }
  }

  #unsolicitedTurn(): void {
    const { emit, traits } = this.#parts;
    if (this.#work !== null || this.#unsolicited) {
      return;
    }
    this.#unsolicited = true;
    emit({ type: 'unsolicited', phase: 'began', data: null });
    if (traits.unsolicitedFor !== null) {
      this.#later(traits.unsolicitedFor, 'unsolicited ends', () => {
        this.#unsolicited = false;
        emit({ type: 'unsolicited', phase: 'ended', data: null });
        const waiting = this.#waiting;
        this.#waiting = null;
        if (waiting !== null) {
          this.#begin(waiting);
        }
      });
    }
  }

  #during(work: Work, delay: number, label: string, run: () => void): void {
    this.#later(delay, label, () => {
      if (this.#work === work) {
        run();
      }
    });
  }

  #later(delay: number, label: string, run: () => void): void {
    this.#parts.stage.scheduler.after(this.owner, delay, `${this.#parts.name} ${label}`, run);
  }
}

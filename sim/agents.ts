/**
 * The agent driver of the simulator, and the judge of what the daemon writes to agents: the near side of the pipe.
 *
 * Owns the wires (one each way, in order, with latency) and what has come out of them, `seen`. Called by the runtime.
 *  sim-agents/1 Events arrive in the order they were emitted; `exited` comes once, and what is emitted after it reaches
 *               nobody.
 *  sim-agents/2 What the daemon may know is what it has `seen`; by that it is judged, not by what is still under way.
 *  sim-agents/3 An orphan (its daemon has crashed) lives on until it is swept, and may still speak.
 */
import type { AgentDriver, AgentEvent, AgentHandle, AgentStart } from '../src/agents/port.ts';
import type { SessionKey, TurnId } from '../src/core/model/ids.ts';
import { AgentProcess } from './agent-process.ts';
import { drawTraits, type Traits } from './manners.ts';
import { Random } from './random.ts';
import { Owner } from './scheduler.ts';
import type { Stage } from './stage.ts';

interface SeenTurn {
  readonly id: TurnId;
  started: boolean;
  result: boolean;
  acked: boolean;
  none: boolean;
  interrupts: number;
  /** How often each request was made and not answered yet. */
  readonly asked: Map<string, number>;
}

export class AgentFleet implements AgentDriver {
  readonly name = 'simulated';
  readonly provider = 'simulated';
  readonly all: SimAgent[] = [];
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #latest = new Map<SessionKey, SimAgent>();
  #pids = 1000;

  constructor(stage: Stage, seed: number) {
    this.#stage = stage;
    this.#random = new Random(seed, 2);
  }

  start(options: AgentStart): AgentHandle {
    const { session, incarnation } = options;
    const stage = this.#stage;
    const facts = stage.facts.of(session);
    const before = this.#latest.get(session);
    if (before !== undefined && !before.gone) {
      stage.violate('one agent a session', `${session} starts agent ${incarnation} beside ${before.name}`);
    }
    if (!facts.starting.has(incarnation)) {
      stage.violate('commit, then act', `${session} starts agent ${incarnation}, which is on no tape`);
    }
    if (facts.durable.row.conversation !== options.conversation) {
      stage.violate(
        'conversations are resumed',
        `${session} resumes ${options.conversation}, not ${facts.durable.row.conversation}`,
      );
    }
    const traits = drawTraits(this.#random, stage.calm);
    if (traits.start === 'throws') {
      stage.story.say(`${session}#${incarnation} cannot be spawned`);
      throw new Error('simulated: cannot spawn');
    }
    const pid = (this.#pids += 1);
    const agent = new SimAgent(stage, options, traits, new Random(this.#random.next(), 3), pid);
    this.all.push(agent);
    this.#latest.set(session, agent);
    if (traits.isProcess) {
      options.onProcess({ pid, startTime: `${pid * 7}`, cookie: `cookie-${pid}` });
    }
    return agent;
  }

  /** The daemon has crashed: functions die with it, processes may live on for a while. */
  orphan(): void {
    for (const agent of this.all) {
      agent.orphan(this.#random.chance(0.5));
    }
  }

  /** What a starting daemon does with processes that its predecessor recorded. Gives those that nobody recorded. */
  sweep(recorded: readonly number[]): readonly SimAgent[] {
    const missed = this.all.filter((agent) => agent.process.alive && !recorded.includes(agent.pid));
    for (const agent of this.all) {
      agent.process.die('swept');
      agent.forget();
    }
    this.all.length = 0;
    this.#latest.clear();
    return missed;
  }

  /** Whether the session's agent can be written to, so far as the daemon can know. */
  listens(session: SessionKey): boolean {
    return this.#latest.get(session)?.listens === true;
  }

  /** When the session's agent was heard last, virtual ms. */
  heardAt(session: SessionKey): number {
    return this.#latest.get(session)?.heardAt ?? Number.NEGATIVE_INFINITY;
  }

  alive(): readonly SimAgent[] {
    return this.all.filter((agent) => agent.process.alive);
  }
}

class SimAgent implements AgentHandle {
  readonly name: string;
  readonly pid: number;
  readonly process: AgentProcess;
  readonly #stage: Stage;
  readonly #options: AgentStart;
  readonly #traits: Traits;
  readonly #random: Random;
  readonly #wire: Owner;
  #inAt = 0;
  #outAt = 0;
  #orphaned = false;
  #ready = false;
  #exited = false;
  #ending: 'kill' | 'close' | null = null;
  #turn: SeenTurn | null = null;
  #conversation = '';
  #model: string | null;
  /** The model it was asked to change to and has not said anything of; undefined: none. */
  #switching: string | null | undefined = undefined;
  /** A prompt was written to it. */
  prompted = false;
  heardAt = Number.NEGATIVE_INFINITY;

  constructor(stage: Stage, options: AgentStart, traits: Traits, random: Random, pid: number) {
    this.name = `${options.session}#${options.incarnation}`;
    this.pid = pid;
    this.#stage = stage;
    this.#options = options;
    this.#model = options.model;
    this.#traits = traits;
    this.#random = random;
    this.#wire = new Owner(`wire ${this.name}`);
    stage.story.say(`${this.name} is started`);
    this.process = new AgentProcess(
      {
        stage,
        name: this.name,
        traits,
        random,
        emit: (event) => this.#send(event),
        exit: (reason) => this.#exit(reason),
        stated: (turn, outcome) => stage.ledger.stated(options.session, turn, outcome),
      },
      () => this.#becomesReady(),
    );
  }

  /** Its `exited` has been read, so far as the daemon can know. */
  get gone(): boolean {
    return this.#exited;
  }

  get listens(): boolean {
    return !this.#exited && this.#ending === null;
  }

  #becomesReady(): void {
    const { conversation } = this.#options;
    const lost = conversation !== null && this.#traits.forgets;
    const named = conversation === null || lost ? `conversation of ${this.name}` : conversation;
    this.#conversation = named;
    this.#send({ type: 'ready', caps: this.#traits.caps, conversation: named, conversationReset: lost });
  }

  // What the daemon writes.

  prompt(turn: TurnId, text: string): void {
    const { stage, session } = this.#judge('prompt', turn);
    const last = this.#turn;
    if (!this.#atBoundary()) {
      const why = this.#ready ? `turn ${last?.id}` : 'start';
      stage.violate('prompts go to an agent at its boundary', `${this.name} gets turn ${turn} during its ${why}`);
    }
    if (last !== null && last.id >= turn) {
      stage.violate('turn numbers only grow', `${this.name} gets turn ${turn} after ${last.id}`);
    }
    const sent = stage.facts.of(session).sent.get(turn);
    if (sent === undefined) {
      stage.violate('commit, then act', `turn ${turn} of ${this.name} is sent and on no tape`);
    } else if (this.#switching !== undefined || sent.model !== this.#model) {
      stage.violate('a turn has its model', `turn ${turn} of ${this.name} is for ${sent.model}, it has ${this.#model}`);
    }
    this.prompted = true;
    this.#turn = {
      id: turn,
      started: false,
      result: false,
      acked: false,
      none: false,
      interrupts: 0,
      asked: new Map(),
    };
    if (sent?.delivered === true) {
      stage.ledger.reminded(this.#conversation, sent.task, text);
    } else {
      stage.ledger.told(session, text);
      stage.ledger.learned(this.#conversation, sent?.task ?? null);
    }
    this.#write(`prompt ${turn} ${JSON.stringify(text)}`, () => this.process.prompt(turn));
  }

  /** So far as the daemon can know: it is ready, and all was read of its last turn. */
  #atBoundary(): boolean {
    const last = this.#turn;
    const over =
      last === null || (last.result && (last.interrupts === 0 || !this.#traits.caps.acks || last.acked)) || last.none;
    return this.#ready && over;
  }

  interrupt(turn: TurnId): void {
    const { stage, session } = this.#judge('interrupt', turn);
    const facts = stage.facts.of(session);
    const last = this.#turn;
    if (last === null || last.id !== turn || !last.started || last.interrupts >= 2) {
      stage.violate(
        'interrupts name the running turn',
        `${this.name} is to stop turn ${turn}, its turn is ${last?.id}`,
      );
      return;
    }
    if (!facts.interrupted.has(turn)) {
      stage.violate('commit, then act', `turn ${turn} of ${this.name} is interrupted and that is on no tape`);
    }
    last.interrupts += 1;
    facts.due = null;
    this.#write(`interrupt ${turn}`, () => this.process.interrupt(turn));
  }

  steer(turn: TurnId, id: string, text: string): void {
    const { stage, session } = this.#judge('steer', turn);
    if (this.#turn?.id !== turn || !this.#turn.started || !this.#traits.caps.steer) {
      stage.violate('steering goes into the running turn', `${this.name} gets ${id} for turn ${turn}`);
    }
    stage.ledger.told(session, text);
    this.#write(`steer ${turn} ${id}`, () => this.process.steer(turn, id));
  }

  /** One that came to nothing meanwhile may be answered; one that was never made, or is answered already, may not. */
  respond(turn: TurnId, request: string): void {
    const { stage, session } = this.#judge('answer', turn);
    const asked = this.#turn?.id === turn ? (this.#turn.asked.get(request) ?? 0) : 0;
    if (asked === 0) {
      stage.violate('what is asked is answered once', `${this.name} gets an answer to ${request} of turn ${turn}`);
    }
    if (!stage.facts.of(session).decided.has(`${turn} ${request}`)) {
      stage.violate(
        'commit, then act',
        `${request} of turn ${turn} of ${this.name} is answered and that is on no tape`,
      );
    }
    this.#turn?.asked.set(request, asked - 1);
    this.#write(`answer ${turn} ${request}`, () => this.process.answer(turn, request));
  }

  switchModel(model: string | null): void {
    const { stage, session } = this.#judge('switch', null);
    if (!this.#traits.caps.models || !this.#atBoundary() || this.#switching !== undefined) {
      stage.violate('an agent is switched at its boundary', `${this.name} is to switch to ${model}`);
    }
    const { switching } = stage.facts.of(session);
    if (switching?.incarnation !== this.#options.incarnation || switching.to !== model) {
      stage.violate('commit, then act', `${this.name} is to switch to ${model} and that is on no tape`);
    }
    this.#switching = model;
    this.#write(`switch ${model}`, () => this.process.switchModel(model));
  }

  close(): void {
    this.#end('close');
  }

  kill(): void {
    this.#end('kill');
  }

  #end(how: 'kill' | 'close'): void {
    this.#stage.facts.of(this.#options.session).due = null;
    this.#ending = how;
    this.#write(how, () => this.process[how]());
  }

  #judge(what: string, turn: TurnId | null): { readonly stage: Stage; readonly session: SessionKey } {
    const stage = this.#stage;
    if (this.#exited || this.#ending !== null) {
      const state = this.#exited ? 'gone' : `ended by ${this.#ending}`;
      stage.violate('an ended agent is left alone', `${what} ${turn} for ${this.name}, which is ${state}`);
    }
    if (this.#orphaned) {
      stage.violate('a crashed daemon does nothing', `${what} ${turn} for ${this.name}`);
    }
    return { stage, session: this.#options.session };
  }

  #write(what: string, arrive: () => void): void {
    const { scheduler, story } = this.#stage;
    story.say(`${this.name} <- ${what}`);
    this.#inAt = this.#after(this.#inAt);
    scheduler.after(this.#wire, this.#inAt - scheduler.now, `to ${this.name}`, () => {
      if (this.process.alive) {
        arrive();
      }
    });
  }

  /** When a message sent now arrives: never before, nor at the instant of, the one sent before it. */
  #after(last: number): number {
    return Math.max(this.#stage.scheduler.now + this.#random.delay(this.#traits.latency), last + 0.001);
  }

  // What the daemon reads.

  #send(event: AgentEvent): void {
    const { scheduler } = this.#stage;
    this.#outAt = this.#after(this.#outAt);
    scheduler.after(this.#wire, this.#outAt - scheduler.now, `from ${this.name}`, () => this.#read(event));
  }

  #exit(reason: string): void {
    this.#stage.story.say(`${this.name} dies: ${reason}`);
    this.#send({ type: 'exited', reason, data: null });
    if (this.#traits.speaksAfterExit) {
      const turn = this.#turn?.id ?? null;
      this.#send({ type: 'output', turn, part: { kind: 'text', text: 'from the grave' } });
      if (turn !== null) {
        this.#send({
          type: 'result',
          turn,
          result: { outcome: 'completed', empty: false, failure: null, report: { text: 'from the grave' } },
        });
      }
    }
  }

  #read(event: AgentEvent): void {
    const stage = this.#stage;
    stage.story.say(`${this.name} -> ${event.type}${this.#orphaned ? ' (to nobody)' : ''}`);
    if (this.#orphaned) {
      return;
    }
    this.heardAt = stage.scheduler.now;
    this.#note(event);
    try {
      this.#options.emit(event);
    } catch (error) {
      if (!this.#orphaned) {
        stage.violate('reading an agent throws nothing', `${event.type} of ${this.name}: ${String(error)}`);
      }
    }
  }

  #note(event: AgentEvent): void {
    const turn = this.#turn;
    if (event.type === 'exited') {
      this.#exited = true;
      this.#stage.facts.of(this.#options.session).due = null;
    } else if (event.type === 'ready') {
      this.#ready = true;
    } else if (event.type === 'switched' && event.model === this.#switching) {
      this.#model = event.ok ? event.model : this.#model;
      this.#switching = undefined;
    } else if (turn !== null && 'turn' in event && event.turn === turn.id) {
      if (event.type === 'permission-requested') {
        turn.asked.set(event.request, (turn.asked.get(event.request) ?? 0) + 1);
      }
      turn.started ||= event.type === 'started';
      turn.result ||= event.type === 'result';
      turn.acked ||= event.type === 'ack';
      turn.none ||= event.type === 'ack' && event.noResult;
    }
  }

  orphan(diesAtOnce: boolean): void {
    this.#orphaned = true;
    if (diesAtOnce || !this.#traits.isProcess) {
      this.process.die('its daemon is gone');
    }
  }

  /** Its pipe is closed for good. */
  forget(): void {
    this.#wire.alive = false;
  }
}

/**
 * The checker is itself checked: one-edit mutants of the core, each of a kind that such systems really had. Every one of them
 * must be found in the configuration named beside it; `check/mutants.json` pins by which property and in how many steps.
 */
export interface Mutant {
  readonly name: string;
  /** File of `src/core`. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
  /** The smallest configuration that finds it. */
  readonly config: string;
}

const mutant = (name: string, config: string, file: string, from: string, to: string): Mutant => ({
  name,
  config,
  file: `${file}.ts`,
  from,
  to,
});

const ownership: readonly Mutant[] = [
  mutant(
    'demand is a flag',
    'three',
    'queue',
    'if (isDemanding(is)) {',
    'if (isDemanding(is) && indexes.demand.root === null) {',
  ),
  mutant(
    'demand is a counter: a withdrawal takes away the first one',
    'three',
    'queue',
    'indexes.demand = treeRemove(indexes.demand, wasKey);',
    'indexes.demand = treeRemove(indexes.demand, treeFirst(indexes.demand)?.key ?? wasKey);',
  ),
  mutant('demand is never withdrawn', 'small', 'queue', 'indexes.demand = treeRemove(indexes.demand, wasKey);', ''),
  mutant('a release names no hold', 'runner', 'runner', "if (task.place === 'holding') {", 'if (hold !== null) {'),
  mutant(
    'an eviction names no hold',
    'small',
    'commands',
    'if (input.epoch !== null && input.epoch !== hold?.epoch) {',
    'if (input.epoch !== null && hold === null) {',
  ),
  mutant(
    'the calls of an evicted runner are taken',
    'runner',
    'runner',
    "return task.run === run ? task : 'epoch';",
    'return task;',
  ),
  mutant(
    'a free window at hand-over: who gives way grants nobody',
    'runner',
    'arrange',
    'task.streak + 1);\n      continue;',
    'task.streak + 1);\n      return;',
  ),
  mutant(
    'a free window at release',
    'small',
    'arrange',
    'const first = treeFirst(d.s.queue);',
    'const first = d.before.hold === null ? treeFirst(d.s.queue) : null;',
  ),
  mutant(
    'a greedy drain: the owner begins its next turn although somebody waits',
    'runner',
    'arrange',
    "if (task.lane === 'background' && turn?.protected !== true && interactiveWaits(d.s)) {",
    "if (task.lane === 'background' && turn !== null && !turn.protected && interactiveWaits(d.s)) {",
  ),
  mutant('the epoch does not grow', 'small', 'arrange', 'd.s.epoch = next;', ''),
  mutant(
    'youngest first',
    'order',
    'queue',
    'b.priority - a.priority || a.ord - b.ord',
    'b.priority - a.priority || b.ord - a.ord',
  ),
  mutant('lowest priority first', 'order', 'queue', 'b.priority - a.priority', 'a.priority - b.priority'),
  mutant(
    'a preempted task goes to the end of the queue',
    'order',
    'queue',
    "return task.status === 'running'",
    'return false',
  ),
  mutant(
    'background work is ranked with interactive work',
    'order',
    'queue',
    "if (task.lane === 'interactive') {",
    "if (task.lane !== 'background' || task.priority > 0) {",
  ),
  mutant('grants while parked', 'operator', 'arrange', 'if (d.s.parked === null) {', 'if (d.s.parked !== undefined) {'),
  mutant(
    'interactive preempts interactive',
    'three',
    'arrange',
    "if (task.lane === 'background' && turn.intent === null",
    'if (turn.intent === null',
  ),
  mutant('who waits politely interrupts', 'three', 'queue', "task.whenBusy !== 'enqueue' && ", ''),
  mutant(
    'a node without its lease goes on',
    'lease',
    'step',
    'if (session.fenced) {',
    'if (session.fenced && input.at === 0) {',
  ),
  mutant('a recovered owner keeps its hold', 'crash', 'recover', 'setHold(d, null);', ''),
];

const turns: readonly Mutant[] = [
  mutant('an interrupt names no turn', 'small', 'turn', 'turn: turn.id, again });', 'turn: 0, again });'),
  mutant(
    'the result of an old turn is accepted',
    'small',
    'agent',
    'if (turn === null || turn.id !== id) {',
    'if (turn === null) {',
  ),
  mutant(
    'a sticky cancel: the next turn inherits the interrupt',
    'small',
    'arrange',
    'intent: null,',
    'intent: d.before.hold?.turn?.intent ?? null,',
  ),
  mutant(
    'a cancel cleared unseen, by the start of the turn',
    'small',
    'agent',
    "setTurn(d, { ...turn, phase: 'draining' });",
    "setTurn(d, { ...turn, phase: 'draining', intent: null });",
  ),
  mutant('a cancel cleared unseen, by a restart', 'crash', 'draft', 'verdict: task.verdict,', 'verdict: null,'),
  mutant(
    'a cancelled turn that fails is a failure',
    'silent-acks',
    'turn',
    'if (task.verdict !== null && !answered) {',
    "if (task.verdict !== null && outcome !== 'failed' && !answered) {",
  ),
  mutant(
    'the latch is lost: a late "started" forgets the interrupt',
    'small',
    'agent',
    'if (turn.intent === null) {',
    'if (turn.id > 0) {',
  ),
  mutant(
    'an interrupt is written before the turn has started',
    'small',
    'turn',
    "const latched = turn.phase === 'sent';",
    'const latched = false;',
  ),
  mutant(
    'the ack is not waited for',
    'small',
    'agent',
    "turn.phase === 'draining' && !turn.acked && agent.kind",
    "turn.phase === 'pending' && !turn.acked && agent.kind",
  ),
  mutant('the ack is taken for the end of the turn', 'small', 'agent', '(input.none ? none : null)', 'none'),
  mutant(
    'an ack is taken twice',
    'small',
    'agent',
    'if (turn.acked && !(input.none && turn.result === null)) {',
    "if (turn.phase === 'sent') {",
  ),
  mutant(
    'a prompt is written into a turn that nobody asked for',
    'lies',
    'arrange',
    ' || agent.unsolicited) {\n    return;',
    ') {\n    return;',
  ),
  mutant(
    'kill after wake: the successor starts before the old agent is reaped',
    'small',
    'turn',
    "d.s.agent = { kind: 'ending', inc: agent.inc };",
    "d.s.agent = { kind: 'none' };",
  ),
  mutant('a drain that is given up leaves its process', 'small', 'agent', "killAgent(d, 'drain_deadline');", ''),
  mutant('an eviction leaves the process', 'operator', 'commands', "killAgent(d, 'evicted');", ''),
  mutant(
    'the interrupt is written again and again',
    'small',
    'agent',
    'turn.result === null && !turn.again) {',
    'turn.result === null) {',
  ),
  mutant(
    'the exit of an old process ends the new one',
    'small',
    'agent',
    "if (agent.kind === 'none' || agent.inc !== input.inc) {\n    return stale('incarnation');\n  }\n  d.s.agent = { kind: 'none' };",
    "if (agent.kind === 'none') {\n    return stale('incarnation');\n  }\n  d.s.agent = { kind: 'none' };",
  ),
  mutant(
    'a deadline of an old turn counts',
    'small',
    'agent',
    'turn === null || turn.id !== of || !onWire(turn)',
    'turn === null || !onWire(turn)',
  ),
  mutant(
    'the hold limit of an old hold counts',
    'small',
    'agent',
    'hold === null || hold.epoch !== of || !hold.limited',
    'hold === null || !hold.limited',
  ),
  mutant(
    'nobody watches for silence',
    'small',
    'arrange',
    "d.effects.push({ type: 'arm', timer: 'silence', of: turn.id });",
    '',
  ),
  mutant(
    'nobody watches the drain',
    'small',
    'turn',
    "d.effects.push({ type: 'arm', timer: 'drain', of: turn.id });",
    '',
  ),
  mutant(
    'the agent is closed in its turn',
    'operator',
    'arrange',
    "agent.kind === 'up' && agent.at === 'boundary' && !agent.unsolicited;",
    "agent.kind === 'up';",
  ),
  mutant(
    'a restarted agent begins a new conversation',
    'crash',
    'arrange',
    'conversation: d.s.conversation }',
    'conversation: null }',
  ),
];

const endings: readonly Mutant[] = [
  mutant('a terminal status without final', 'small', 'draft', "type: 'end',", "type: 'payload',"),
  mutant(
    'a final that contradicts the status',
    'small',
    'draft',
    'data: { status: ending.status,',
    "data: { status: 'completed',",
  ),
  mutant(
    'a final with the seq of the event before',
    'small',
    'draft',
    'seq: task.seq + 1,\n    data',
    'seq: task.seq,\n    data',
  ),
  mutant('a change that is not recorded', 'small', 'draft', 'a.turns === b.turns &&', ''),
  mutant(
    'preemption counts as a failure',
    'small',
    'turn',
    'putTask(d, { ...task, begun: true,',
    'putTask(d, { ...task, attempts: task.attempts + 1, begun: true,',
  ),
  mutant(
    'no protection',
    'small-protection',
    'arrange',
    "task.lane === 'background' && task.streak >= d.s.limits.maxPreemptions,",
    'false,',
  ),
  mutant('preemptions are not counted', 'small-protection', 'turn', '? 0 : task.streak + 1', '? 0 : task.streak'),
  mutant(
    'a protected turn is preempted',
    'small-protection',
    'arrange',
    'turn.intent === null && !turn.protected && demand',
    'turn.intent === null && demand',
  ),
  mutant(
    'a silent agent is asked for ever',
    'small',
    'turn',
    "outcome === 'timed-out' || end.kind === 'result' || end.burns",
    'end.burns',
  ),
  mutant(
    'an empty end after an interrupt is a completion',
    'lies',
    'agent',
    "given.outcome === 'completed' && (turn.acked || given.empty)",
    "given.outcome === 'interrupted' && given.empty",
  ),
  mutant(
    'the second verdict counts',
    'small',
    'turn',
    'if (task.verdict === null) {',
    'if (task.verdict?.status !== verdict.status) {',
  ),
  mutant(
    'a rider is not in the prompt',
    'collect',
    'arrange',
    'riders: task.riders,\n    attempt',
    'riders: [],\n    attempt',
  ),
  mutant(
    'a rider ends with whatever its carrier ends with',
    'collect',
    'draft',
    "if (rider.taken && end !== 'cancelled') {",
    'if (rider.taken) {',
  ),
  mutant(
    'a rider completes unread',
    'steer',
    'draft',
    "if (rider.taken && end !== 'cancelled') {",
    "if (end !== 'cancelled') {",
  ),
  mutant(
    'a cancelled rider stays on its carrier',
    'collect',
    'draft',
    'riders: carrier.riders.filter((rider) => rider !== id)',
    'riders: carrier.riders',
  ),
  mutant(
    'parts of other senders are merged',
    'collect',
    'submit',
    'newest === null || newest.key.party !== party',
    'newest === null',
  ),
  mutant(
    'a steered message counts as read when it is written',
    'steer',
    'submit',
    "place: 'riding', carrier });",
    "place: 'riding', carrier, taken: true });",
  ),
  mutant('a refused steer is forgotten', 'steer', 'draft', "place: 'waiting' });\n  if", "place: 'riding' });\n  if"),
  mutant(
    'a lost runner burns nothing',
    'crash-runner',
    'arrange',
    'attempts: first || starts ? waiting.attempts + 1',
    'attempts: first ? waiting.attempts + 1',
  ),
  mutant(
    'what is to be rejected when busy is admitted',
    'rollback',
    'submit',
    "if (input.task.whenBusy === 'reject' && isBusy(d.s)) {",
    "if (input.task.whenBusy === 'reject' && d.s.epoch > 99) {",
  ),
  mutant(
    'a rollback is promised to an agent that cannot',
    'unable',
    'submit',
    'if (rewinds && ',
    'if (rewinds && d.s.epoch > 99 && ',
  ),
  mutant(
    'a failed start burns nothing',
    'small',
    'agent',
    "'agent_start_failed', false, true);",
    "'agent_start_failed', false, false);",
  ),
  mutant(
    'a full queue admits one more',
    'full',
    'submit',
    'treeSize(d.s.tasks) >= d.s.limits.maxOpen',
    'treeSize(d.s.tasks) > d.s.limits.maxOpen',
  ),
];

const names: readonly Mutant[] = [
  mutant(
    'a rule looks at the number of an epoch',
    'names',
    'arrange',
    'const waits = treeSize(d.s.queue) > 0;',
    'const waits = treeSize(d.s.queue) > 0 && d.s.epoch < 500;',
  ),
  mutant(
    'system work preempts',
    'system',
    'queue',
    "task.lane === 'interactive' && task.whenBusy !== 'enqueue'",
    "task.whenBusy !== 'enqueue'",
  ),
];

export const mutants: readonly Mutant[] = [...ownership, ...turns, ...endings, ...names];

/**
 * Every command of `signalbox`, as data: what parses the arguments, what prints the help, and what `docs/cli.md` is
 * compared with by a test. The code of a command is loaded when it runs, and not before.
 */
import type { Argument, Command, Flag } from './shape.ts';

/** Flags of every command. */
export const globalFlags: readonly Flag[] = [
  { name: 'json', what: 'print one JSON document, or one per line where the output is a stream' },
  {
    name: 'data',
    value: 'FOLDER',
    what: 'data folder, where the daemon keeps its database, its token and its address',
  },
  { name: 'url', value: 'URL', what: 'address of the daemon; default: what it wrote into the data folder' },
  { name: 'token', value: 'TOKEN', what: 'default: the one in the data folder' },
  { name: 'help', short: 'h', what: 'help on this command' },
];

const lanes = ['interactive', 'background'] as const;
const statuses = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const;
const policies = ['preempt', 'enqueue', 'steer', 'collect', 'replace', 'interrupt', 'rollback', 'reject'] as const;

const lane: Flag = { name: 'lane', value: 'LANE', kind: 'choice', choices: lanes, what: 'interactive or background' };
const by: Flag = { name: 'by', value: 'NAME', what: 'who asks, for the tape; default: your user name' };
const limit: Flag = { name: 'limit', value: 'N', kind: 'integer', what: 'how many at most; default 50' };
const cursor: Flag = {
  name: 'cursor',
  value: 'CURSOR',
  what: 'the next page, by the cursor that the page before gave',
};
const task: Argument = { name: 'TASK' };
const session: Argument = { name: 'SESSION' };

const run: readonly Command[] = [
  {
    name: 'up',
    group: 'Run it',
    what: 'start the daemon here, until Ctrl-C',
    next: 'Next, in another terminal: signalbox send hello "Say hello"',
    args: [],
    flags: [
      {
        name: 'config',
        short: 'c',
        value: 'FILE',
        what: 'configuration; default: the nearest signalbox.config.ts, here or above',
      },
      {
        name: 'agent',
        short: 'a',
        value: 'NAME',
        what: 'which agent answers, such as claude, codex or gemini; `signalbox doctor` shows what is installed',
      },
      { name: 'host', value: 'HOST', what: 'address to listen on; default 127.0.0.1' },
      {
        name: 'port',
        short: 'p',
        value: 'PORT',
        kind: 'integer',
        what: 'port to listen on; 0: any free one; default 7070',
      },
      {
        name: 'durability',
        value: 'LEVEL',
        kind: 'choice',
        choices: ['power', 'process'],
        what: 'what a commit survives: power (default) or process',
      },
      {
        name: 'log-level',
        value: 'LEVEL',
        kind: 'choice',
        choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
        what: 'what goes into the log; default warn on a terminal, else info',
      },
    ],
    examples: [
      { line: 'signalbox up', what: 'listens on 127.0.0.1:7070' },
      { line: 'signalbox up --agent claude', what: 'Claude Code, found on the PATH' },
      { line: 'signalbox up --port 0 --data ./box', what: 'any free port, and a data folder of its own' },
    ],
    load: () => import('./commands/up.ts'),
  },
  {
    name: 'demo',
    group: 'Run it',
    what: 'watch GitHub deliveries preempt a background turn, and every guarantee be checked',
    next: 'Needs nothing and leaves nothing behind. Next: signalbox up',
    args: [],
    flags: [],
    examples: [
      { line: 'signalbox demo', what: 'a live track diagram, under 20 seconds' },
      { line: 'signalbox demo --json', what: 'every event, figure and check as JSON lines' },
    ],
    load: () => import('./commands/demo.ts'),
  },
];

const work: readonly Command[] = [
  {
    name: 'send',
    group: 'Give it work',
    what: 'give a session a task',
    next: 'Next: signalbox tail TASK, with the id that this prints (or add --follow)',
    args: [session, { name: 'PROMPT', rest: true }],
    flags: [
      { ...lane, what: 'interactive (default): somebody waits for it; background: nobody does' },
      {
        name: 'when-busy',
        value: 'POLICY',
        kind: 'choice',
        choices: policies,
        what: `if the session is busy: ${policies.join(', ')}`,
      },
      { name: 'priority', value: 'N', kind: 'integer', what: 'in the background lane; higher first; default 0' },
      { name: 'key', short: 'k', value: 'KEY', what: 'idempotency key: sent twice, it is one task' },
      { name: 'runner', value: 'NAME', what: 'run this registered code, rather than one turn of the agent' },
      { name: 'input', value: 'JSON', what: 'input of the runner' },
      {
        name: 'source',
        value: 'NAME',
        what: 'only tasks of one source merge, steer or replace each other; default cli',
      },
      { name: 'rights', value: 'CLASS', what: 'rights class the task runs with' },
      { name: 'author', value: 'NAME', what: 'who wrote it; default: your user name' },
      {
        name: 'on-lost',
        value: 'POLICY',
        kind: 'choice',
        choices: ['retry', 'fail'],
        what: 'if its agent dies during the turn: retry (default) or fail',
      },
      { name: 'max-attempts', value: 'N', kind: 'integer', what: 'attempts in all; default 3' },
      { name: 'label', value: 'NAME=TEXT', many: true, what: 'a label; may be given many times' },
      { name: 'follow', short: 'f', what: 'show what happens, until it ends; its outcome is the exit code' },
      { name: 'wait', short: 'w', what: 'wait until it ends and print its result alone' },
    ],
    examples: [
      { line: 'signalbox send hello "Say hello"', what: 'a new session, if there is none of that name' },
      {
        line: 'signalbox send acme/app --lane background "Tidy up the tests"',
        what: 'gives way to everybody who waits',
      },
      {
        line: 'git diff | signalbox send review --wait -',
        what: 'the prompt from standard input, the answer on standard output',
      },
    ],
    load: () => import('./commands/send.ts'),
  },
];

const watch: readonly Command[] = [
  {
    name: 'task',
    group: 'Watch',
    what: 'show one task',
    next: 'Next: signalbox tail TASK shows what happened; signalbox explain TASK why it waits',
    args: [task],
    flags: [],
    examples: [{ line: 'signalbox task 0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11', what: '' }],
    load: () => import('./commands/task.ts'),
  },
  {
    name: 'tasks',
    group: 'Watch',
    what: 'list tasks, newest first',
    next: 'Next: signalbox task TASK, with an id from the list',
    args: [],
    flags: [
      { name: 'session', short: 's', value: 'SESSION', what: 'of this session' },
      {
        name: 'status',
        value: 'STATUS',
        kind: 'choice',
        choices: statuses,
        many: true,
        what: `${statuses.join(', ')}; may be given many times`,
      },
      lane,
      { name: 'source', value: 'NAME', what: 'of this source' },
      limit,
      cursor,
    ],
    examples: [
      { line: 'signalbox tasks --status queued --status running', what: 'what is open' },
      { line: 'signalbox tasks --session hello --json', what: '' },
    ],
    load: () => import('./commands/tasks.ts'),
  },
  {
    name: 'tail',
    group: 'Watch',
    what: 'follow a task to its end, a session, or everything',
    next: 'Without TARGET it follows everything that happens from now on, until Ctrl-C',
    args: [{ name: 'TARGET', optional: true }],
    flags: [
      { name: 'session', short: 's', what: 'TARGET is a session, whatever it looks like' },
      {
        name: 'after',
        value: 'PLACE',
        what: 'start after this seq of a task, or this position of a session; 0: from the beginning',
      },
      { name: 'no-follow', what: 'print what there is, and end' },
    ],
    examples: [
      {
        line: 'signalbox tail 0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11',
        what: 'one task from its first event; its outcome is the exit code',
      },
      { line: 'signalbox tail hello', what: 'a session, from now on' },
      { line: 'signalbox tail --json | jq .type', what: 'everything, as JSON lines' },
    ],
    load: () => import('./commands/tail.ts'),
  },
  {
    name: 'sessions',
    group: 'Watch',
    what: 'list sessions',
    next: 'Next: signalbox session SESSION shows who owns it and who waits',
    args: [],
    flags: [limit, cursor],
    examples: [{ line: 'signalbox sessions', what: '' }],
    load: () => import('./commands/sessions.ts'),
  },
  {
    name: 'session',
    group: 'Watch',
    what: 'show one session: who owns it, and who waits',
    next: 'Next: signalbox explain TASK says what a task waits for',
    args: [session],
    flags: [],
    examples: [{ line: 'signalbox session hello', what: '' }],
    load: () => import('./commands/session.ts'),
  },
  {
    name: 'explain',
    group: 'Watch',
    what: 'why a task does not run now, and what ends the wait',
    next: 'Next: signalbox move TASK --first, or signalbox cancel of what stands in the way',
    args: [task],
    flags: [],
    examples: [{ line: 'signalbox explain 0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11', what: '' }],
    load: () => import('./commands/explain.ts'),
  },
];

const change: readonly Command[] = [
  {
    name: 'edit',
    group: 'Change what is queued or runs',
    what: 'give a queued task another prompt',
    next: 'Only a task that is still queued can be edited: signalbox tasks --status queued',
    args: [task, { name: 'PROMPT', rest: true }],
    flags: [by],
    examples: [{ line: 'signalbox edit 0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11 "Say good bye"', what: '' }],
    load: () => import('./commands/edit.ts'),
  },
  {
    name: 'move',
    group: 'Change what is queued or runs',
    what: 'move a queued task to another place, lane or priority',
    next: 'Only a task that is still queued can be moved: signalbox session SESSION shows the queue',
    args: [task],
    flags: [
      lane,
      { name: 'priority', value: 'N', kind: 'integer', what: 'in the background lane; higher first' },
      { name: 'first', what: 'before all others of its lane' },
      { name: 'last', what: 'behind all others of its lane' },
      { name: 'before', value: 'TASK', what: 'before this one' },
      by,
    ],
    examples: [{ line: 'signalbox move 0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11 --first', what: '' }],
    load: () => import('./commands/move.ts'),
  },
  {
    name: 'cancel',
    group: 'Change what is queued or runs',
    what: 'cancel a task, queued or running',
    next: 'Next: signalbox tail TASK sees it end, if the receipt says that a turn still runs',
    args: [task],
    flags: [{ name: 'reason', value: 'TEXT', what: 'for the tape; default cancelled' }, by],
    examples: [{ line: 'signalbox cancel 0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11 --reason "not needed"', what: '' }],
    load: () => import('./commands/cancel.ts'),
  },
  {
    name: 'stop',
    group: 'Change what is queued or runs',
    what: 'stop what runs in a session, what waits there, or both',
    next: 'Say which: --scope turn (what runs), queue (what waits) or session (both)',
    args: [session],
    flags: [
      {
        name: 'scope',
        value: 'SCOPE',
        kind: 'choice',
        choices: ['turn', 'queue', 'session'],
        what: 'turn, queue or session; must be given',
      },
      by,
    ],
    examples: [{ line: 'signalbox stop hello --scope turn', what: '' }],
    load: () => import('./commands/stop.ts'),
  },
  {
    name: 'evict',
    group: 'Change what is queued or runs',
    what: 'take a session from its owner, without its cooperation',
    next: 'For an owner that does not react to stop. Next: signalbox session SESSION',
    args: [session],
    flags: [
      { name: 'epoch', value: 'N', kind: 'integer', what: 'only if this hold is the one; default: whichever there is' },
      by,
    ],
    examples: [{ line: 'signalbox evict hello --epoch 7', what: '' }],
    load: () => import('./commands/evict.ts'),
  },
  {
    name: 'park',
    group: 'Change what is queued or runs',
    what: 'stop granting a session; its queue stays',
    next: 'Next: signalbox unpark SESSION lets it go on',
    args: [session, { name: 'REASON', rest: true }],
    flags: [by],
    examples: [{ line: 'signalbox park hello "the repository moves"', what: '' }],
    load: () => import('./commands/park.ts'),
  },
  {
    name: 'unpark',
    group: 'Change what is queued or runs',
    what: 'let a parked or faulted session go on',
    next: 'Next: signalbox session SESSION',
    args: [session],
    flags: [by],
    examples: [{ line: 'signalbox unpark hello', what: '' }],
    load: () => import('./commands/unpark.ts'),
  },
  {
    name: 'restart',
    group: 'Change what is queued or runs',
    what: 'restart the agent of a session; its conversation is resumed',
    next: 'Next: signalbox tail SESSION sees it come back',
    args: [session],
    flags: [by],
    examples: [{ line: 'signalbox restart hello', what: '' }],
    load: () => import('./commands/restart.ts'),
  },
];

const care: readonly Command[] = [
  {
    name: 'doctor',
    group: 'Look after it',
    what: 'what is missing on this machine, and how to get it',
    next: 'Exit code 1 means that something needed is missing; the lines marked so say what to do',
    args: [],
    flags: [
      {
        name: 'config',
        short: 'c',
        value: 'FILE',
        what: 'configuration to check; default: the nearest signalbox.config.ts',
      },
    ],
    examples: [{ line: 'signalbox doctor', what: '' }],
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'agent scripted',
    group: 'Look after it',
    what: 'the scripted agent, on standard input and output (the daemon runs it)',
    next: 'It speaks newline-delimited JSON; docs/agent-protocol.md says which',
    args: [{ name: 'ARGS', optional: true, rest: true }],
    flags: [],
    raw: true,
    examples: [{ line: 'signalbox agent scripted --help', what: 'its own flags' }],
    load: () => import('./commands/agent-scripted.ts'),
  },
];

export const commands: readonly Command[] = [...run, ...work, ...watch, ...change, ...care];

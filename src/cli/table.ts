/**
 * Every command of `signalbox`, as data: what parses the arguments, what prints the help, and what `docs/cli.md` is
 * compared with by a test. The code of a command is loaded when it runs, and not before.
 */
import { TASK_STATUSES } from '../core/model.ts';
import type { Command, Flag } from './command.ts';
import { care, change, permit } from './table/change.ts';
import { cursor, lane, limit, session, task } from './table/shared.ts';
import { taskFlags } from './task-flags.ts';

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
      ...taskFlags,
      { name: 'key', short: 'k', value: 'KEY', what: 'idempotency key: two submits with the same key are one task' },
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
        choices: TASK_STATUSES,
        many: true,
        what: `${TASK_STATUSES.join(', ')}; repeatable`,
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

export const commands: readonly Command[] = [...run, ...work, ...watch, ...change, ...permit, ...care];

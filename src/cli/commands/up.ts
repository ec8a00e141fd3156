import type { Command } from '../command.ts';

export const command: Command = {
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
      name: 'store',
      value: 'STORE',
      what: 'sqlite (default), or postgres://…: where everything is stored; postgres: the database of DATABASE_URL',
    },
    {
      name: 'listen-url',
      value: 'URL',
      what: 'postgres://… of the database itself, for hints of other daemons, where --store is that of a pooler',
    },
    {
      name: 'durability',
      value: 'LEVEL',
      kind: 'choice',
      choices: ['power', 'process'],
      what: 'what a commit to SQLite survives: power (default) or process',
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
    { line: 'signalbox up --port 0 --data ./box', what: 'any free port, and a separate data folder' },
  ],
  async run(call) {
    const { launched } = await import('../up/launcher.ts');
    return launched(call.words);
  },
};

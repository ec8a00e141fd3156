/**
 * The parts of the documentation that are made from the code: the references of the command line, the configuration, the
 * errors and the events.
 * `node test/support/docs.ts` writes them; a test compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { AgentDescriptor } from '../../src/agents/descriptor.ts';
import { agents } from '../../src/agents/registry.ts';
import { variables } from '../../src/daemon/config/environment.ts';
import { synopsis } from '../../src/cli/parse.ts';
import type { Flag } from '../../src/cli/command.ts';
import { globalFlags } from '../../src/cli/flags.ts';
import { commands } from '../../src/cli/registry.ts';
import { ConfigFileSchema } from '../../src/daemon/config/schema.ts';
import { errorSections, errorCodes, errorEntry, type ErrorEntry, exitCodes } from '../../src/core/error-codes.ts';
import type { Schema } from '../../src/protocol/schema.ts';
import { eventParts } from './event-docs.ts';
import { licenceCounts, licenceTable } from './licences.ts';
import { row, table } from './markdown.ts';
import { scenariosMade } from './scenarios.ts';

function flagRow({ name, short, value, what }: Flag): string {
  const long = `\`--${name}${value === undefined ? '' : ` ${value}`}\``;
  return row(short === undefined ? long : `\`-${short}\`, ${long}`, what);
}

function commandReference(): string {
  const sections = commands.map((command) => {
    const flags = command.flags.length === 0 ? [] : ['', table(['flag', ''], command.flags.map(flagRow))];
    const examples = command.examples.map(({ line, what }) => (what === '' ? line : `${line}   # ${what}`));
    const what = `${command.what.charAt(0).toUpperCase()}${command.what.slice(1)}.`;
    return [
      `### ${command.name}`,
      '',
      what,
      '',
      '```sh',
      synopsis(command),
      '```',
      ...flags,
      '',
      '```sh',
      ...examples,
      '```',
    ].join('\n');
  });
  return [table(['flag of every command', ''], globalFlags.map(flagRow)), ...sections].join('\n\n');
}

const exitMeanings: { readonly [name in keyof typeof exitCodes]: string } = {
  ok: 'success; a followed task completed',
  failed:
    'the task failed or was cancelled, a guarantee did not hold, something required is missing, or Signalbox has a defect',
  usage: 'the command, its flags, its input or the configuration are wrong; or Node is too old',
  notFound: 'the task, session, route or hook does not exist',
  refused: 'the state of the task or session does not allow it: busy, full, ended, stale',
  unauthorized: 'the token is missing or wrong, or the signature is wrong',
  unavailable: 'no daemon answers, it is closing, or its address is in use',
  storage: 'the data folder or its database cannot be used, or another daemon uses it',
};

function exitReference(): string {
  const rows = Object.entries(exitCodes).map(([name, code]) => {
    const codes = Object.keys(errorCodes).filter((one) => errorEntry(one).exit === code);
    const shown = codes.map((one) => `\`${one}\``).join(', ');
    return row(String(code), exitMeanings[name as keyof typeof exitCodes], shown);
  });
  return table(
    ['code', 'meaning', 'error codes'],
    [
      ...rows,
      row(
        '130, 143',
        'a second signal (SIGINT, SIGTERM) ended `up`, or a first one ended `demo`, `send --wait` or `send --follow`',
        '',
      ),
    ],
  );
}

function errorReference(): string {
  const sections = Object.entries<{ readonly [code: string]: ErrorEntry }>(errorSections).map(([title, codes]) => {
    const rows = Object.entries(codes).map(([code, { status, exit, title: what, hint, ownHint }]) =>
      row(`\`${code}\``, String(status ?? '–'), String(exit), what, ownHint === true ? `${hint} *` : hint),
    );
    return `## ${title}\n\n${table(['code', 'HTTP', 'exit', 'title', 'hint'], rows)}`;
  });
  return sections.join('\n\n');
}

const typeText = ({ type, enum: values, anyOf, additionalProperties, items }: Schema): string => {
  if (values !== undefined) {
    return values.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  }
  if (anyOf !== undefined) {
    return anyOf.map(typeText).join(' or ');
  }
  if (type === 'array') {
    return `list of ${items === undefined ? 'anything' : typeText(items)}`;
  }
  if (type === 'object' && typeof additionalProperties === 'object') {
    return 'by name';
  }
  return Array.isArray(type) ? type.join(' or ') : String(type);
};

interface Key {
  readonly path: string;
  readonly schema: Schema;
}

/** Keys that are not objects of further keys; the rules of hooks have pages of their own. */
function keysOf(schema: Schema, path: string): readonly Key[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const at = path === '' ? name : `${path}.${name}`;
    return member.properties === undefined ? [{ path: at, schema: member }] : keysOf(member, at);
  });
}

function configReference(): string {
  const rows = keysOf(ConfigFileSchema, '').map(({ path, schema }) => {
    const variable = variables.find((one) => one.path.join('.') === path);
    const byDefault = schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``;
    return row(
      `\`${path}\``,
      typeText(schema),
      byDefault,
      schema.description ?? '',
      variable === undefined ? '' : `\`${variable.name}\``,
    );
  });
  return table(['key', 'type', 'default', '', 'variable'], rows);
}

function programCells(agent: AgentDescriptor): readonly [string, string] {
  if (agent.kind !== 'program' || agent.program === null) {
    return ['', ''];
  }
  const { command, variable, install, login } = agent.program;
  return [`\`${command}\`, or \`${variable}\``, `\`${install}\`. ${login.fix}`];
}

function agentReference(): string {
  const rows = agents.map((agent) =>
    row(`\`${agent.name}\``, `${agent.summary} ([more](${agent.page}))`, ...programCells(agent)),
  );
  return table(['`agent.name`', 'what answers', 'its program', 'to install it and log in'], rows);
}

const pages: { readonly [path: string]: { readonly [part: string]: () => string } } = {
  'docs/cli.md': { commands: commandReference, 'exit codes': exitReference },
  'docs/events.md': eventParts,
  'docs/errors.md': { codes: errorReference },
  'docs/configuration.md': { agents: agentReference, keys: configReference },
  'docs/licences.md': {
    shipped: () => licenceTable(`${root}package-lock.json`),
    development: () => licenceCounts(`${root}package-lock.json`),
  },
};

const marker = (part: string, what: 'begin' | 'end'): string =>
  `<!-- ${what} ${part}: made by test/support/docs.ts -->`;

/** The page as it should be: each part between its markers made anew. */
export function pageMade(path: string, text: string): string {
  if (path === 'docs/scenarios.md') {
    return scenariosMade(text);
  }
  return Object.entries(pages[path] ?? {}).reduce((page, [part, make]) => {
    const begin = page.indexOf(marker(part, 'begin'));
    const end = page.indexOf(marker(part, 'end'));
    if (begin === -1 || end < begin) {
      throw new Error(`${path} has no place for ${part}`);
    }
    return `${page.slice(0, begin)}${marker(part, 'begin')}\n\n${make()}\n\n${page.slice(end)}`;
  }, text);
}

export const madePages: readonly string[] = [...Object.keys(pages), 'docs/scenarios.md'];
export const root = fileURLToPath(new URL('../../', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const path of madePages) {
    writeFileSync(root + path, pageMade(path, readFileSync(root + path, 'utf8')));
  }
}

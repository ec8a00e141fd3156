/**
 * What the daemon refuses in a request, in the words of the command line: flags and arguments in place of the parts of an
 * HTTP request, and the help of the command in place of the API's description.
 */
import { ApiError } from '../client/index.ts';
import { AppError } from '../core/errors.ts';
import type { ProblemFinding } from '../protocol/problem.ts';
import type { Command } from './command.ts';

/** Codes of a request that does not fit, with the member that is wrong where the answer does not name one. */
const wrongParts: { readonly [code: string]: readonly string[] } = {
  invalid_request: [],
  bad_id: ['id', 'key', 'name'],
  bad_cursor: ['cursor', 'after'],
  bad_last_event_id: ['after'],
  bad_idempotency_key: ['idempotency-key'],
};

/** Members of a request that have another name on the command line; the first name that the command has counts. */
const otherNames: { readonly [member: string]: readonly string[] } = {
  id: ['TASK', 'ID', 'TARGET'],
  key: ['SESSION', 'TARGET'],
  name: ['PROVIDER'],
  'idempotency-key': ['key'],
  labels: ['label'],
  note: ['reason'],
};

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The flag or argument of a member; null: the command has none. */
function writtenAs(member: string, command: Command): string | null {
  for (const name of [...(otherNames[member] ?? []), kebab(member), member.toUpperCase()]) {
    if (command.args.some((argument) => argument.name === name)) {
      return name;
    }
    if (command.flags.some((flag) => flag.name === name && flag.value !== undefined)) {
      return `--${name}`;
    }
  }
  return null;
}

/** The innermost member of `/body/permissions/allow/0` that the command names; without one, the members themselves. */
function placeOf(path: string, command: Command): string {
  const members = path.split('/').slice(2);
  const written = members.toReversed().map((member) => writtenAs(member, command));
  return written.find((name) => name !== null) ?? (members.join('.') || 'the request');
}

/** A pattern tells a person nothing where a description follows it. */
function sentence({ path, message, hint }: ProblemFinding, command: Command): string {
  const place = placeOf(path, command);
  const pattern = hint !== undefined && message.startsWith('must match ');
  return pattern ? `${place} is malformed. ${hint}` : `${place} ${message}.${hint === undefined ? '' : ` ${hint}`}`;
}

/** The error as it is, unless it says that a part of the request is wrong: then `usage`, which names flags and arguments. */
export function inCommandWords(error: AppError, command: Command): AppError {
  const members = wrongParts[error.code];
  if (members === undefined) {
    return error;
  }
  const findings = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  const place = members.map((member) => writtenAs(member, command)).find((name) => name !== null) ?? null;
  // The title of this one is about a header, its hint about the value.
  const said = error.code === 'bad_idempotency_key' ? error.hint : error.message;
  const message =
    findings.length > 0
      ? findings.map((finding) => sentence(finding, command)).join(' ')
      : `${place === null ? '' : `${place}: `}${said}`;
  return new AppError({ code: 'usage', message, hint: `See \`signalbox ${command.name} --help\`.`, cause: error });
}

/**
 * What a tool request of an agent touches, for every driver: a policy means by `read`, `search`, `edit` and `delete` what happens
 * inside of the session's folder. What leaves it, or may, is `other`. So is an edit of what runs something later.
 *
 * Here is judged what the agent's program says that it will do; it holds as far as that program does what it says.
 */
import type { ActionKind, RequestedAction } from '../../core/model/permission.ts';
import { isFields } from '../child/fields.ts';
import { isGuarded, staysInside } from './paths.ts';
import { readsInside } from './reading-places.ts';

/** Whether a kind is about files of the session's folder. */
const ofFiles: { readonly [K in ActionKind]: boolean } = {
  read: true,
  search: true,
  edit: true,
  delete: true,
  execute: false,
  fetch: false,
  other: false,
};

/**
 * `paths`: all that the request names; null: more than can be told. `folder`: the session's, from which they are seen; null: it
 * has none.
 */
export function judged(
  action: RequestedAction,
  folder: string | null,
  paths: readonly string[] | null,
): RequestedAction {
  if (!ofFiles[action.kind]) {
    return action;
  }
  const changes = action.kind === 'edit' || action.kind === 'delete';
  const isMeant = (path: string): boolean =>
    folder !== null && staysInside(folder, path) && !(changes && isGuarded(folder, path));
  return paths !== null && paths.every(isMeant) ? action : { ...action, kind: 'other' };
}

/** The same for a command that only reads. `from`: the folder in which it runs. */
export function judgedCommand(
  action: RequestedAction,
  script: string,
  folder: string | null,
  from: string,
): RequestedAction {
  const reads = action.kind === 'read' || action.kind === 'search';
  const inside = folder !== null && readsInside(script, folder, from);
  return !reads || inside ? action : { ...action, kind: 'other' };
}

/** Members that hold the text of a file, a pattern, or words: not a path. */
const texts: ReadonlySet<string> = new Set([
  'content',
  'contents',
  'text',
  'file_text',
  'fileText',
  'new_text',
  'newText',
  'old_text',
  'oldText',
  'new_str',
  'old_str',
  'new_string',
  'old_string',
  'newString',
  'oldString',
  'new_source',
  'replacement',
  'query',
  'regex',
  'pattern',
  'description',
  'explanation',
  'instruction',
  'reason',
  'prompt',
]);

const namesMax = 500;
const depthMax = 8;
const pathMax = 4_096;

/**
 * Every text in the input of a tool that a program could take for a path, also a name of a member and the files of a patch. Null:
 * there is more than can be looked at.
 */
export function pathsIn(input: unknown): readonly string[] | null {
  const found: string[] = [];
  const whole = collect(input, depthMax, found);
  return whole ? found : null;
}

function collect(value: unknown, depth: number, found: string[]): boolean {
  if (typeof value === 'string') {
    found.push(...pathsOfText(value));
  } else if (Array.isArray(value)) {
    return depth > 0 && value.every((one) => collect(one, depth - 1, found));
  } else if (isFields(value)) {
    return depth > 0 && Object.entries(value).every((member) => collectMember(member, depth, found));
  }
  return found.length <= namesMax;
}

function collectMember([name, value]: readonly [string, unknown], depth: number, found: string[]): boolean {
  if (name.includes('/')) {
    found.push(name);
  }
  if (typeof value === 'string' && texts.has(name)) {
    found.push(...filesOfPatch(value));
    return found.length <= namesMax;
  }
  return collect(value, depth - 1, found);
}

/** A longer text, or one of several lines, is no path. */
const pathsOfText = (text: string): readonly string[] =>
  text.length > pathMax || /[\n\r]/.test(text) ? filesOfPatch(text) : [text];

/** The files that a patch in the form of `apply_patch` names. */
const filesOfPatch = (text: string): readonly string[] =>
  [...text.matchAll(/^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+)$/gm)].map(([, path]) => (path ?? '').trim());

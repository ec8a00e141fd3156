/**
 * The flags of `signalbox send` that say what a task is to be: one entry for each field of `taskSpec`, described by the text
 * in it. A field without an entry does not compile.
 */
import { AppError } from '../core/errors.ts';
import { lanes, onLostPolicies, taskConversations, taskModes, whenBusyPolicies } from '../core/model/task.ts';
import { permissionModes } from '../core/model/permission.ts';
import type { Schema } from '../protocol/schema.ts';
import { taskSpec, type TaskField, type TaskSpecInput } from '../protocol/task-spec.ts';
import type { Call } from './call.ts';
import { expiresIn } from './expires-in.ts';
import type { Flag } from './command.ts';

interface Reader<T> {
  readonly flags: readonly Flag[];
  /** Undefined where no flag says anything: the default of the daemon holds. */
  readonly read: (call: Call) => T | undefined;
}

/** The field's own description as the help shows it, with its default. */
function whatOf(field: TaskField, fallback?: string): string {
  const { description, default: byDefault }: Schema & { readonly description: string } = taskSpec[field];
  const text = description.replaceAll('`', '').replace(/\.$/, '');
  const known = typeof byDefault === 'string' || typeof byDefault === 'number' ? String(byDefault) : '';
  const shown = fallback ?? known;
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}${shown === '' ? '' : `; default ${shown}`}`;
}

const text = (field: TaskField, name: string, value: string, fallback?: string): Reader<string> => ({
  flags: [{ name, value, what: whatOf(field, fallback) }],
  read: (call) => call.text(name) ?? undefined,
});

const integer = (field: TaskField, name: string): Reader<number> => ({
  flags: [{ name, value: 'N', kind: 'integer', what: whatOf(field) }],
  read: (call) => call.integer(name) ?? undefined,
});

const choice = <T extends string>(field: TaskField, name: string, value: string, choices: readonly T[]): Reader<T> => ({
  flags: [{ name, value, kind: 'choice', choices, what: whatOf(field) }],
  read: (call) => call.choice(name, choices) ?? undefined,
});

type Readers = {
  readonly [F in Exclude<TaskField, 'prompt' | 'expiresIn'>]: Reader<Exclude<TaskSpecInput[F], null | undefined>>;
} & { readonly expiresIn: Reader<number | null> };

const readers: Readers = {
  lane: choice('lane', 'lane', 'LANE', lanes),
  whenBusy: choice('whenBusy', 'when-busy', 'POLICY', whenBusyPolicies),
  mode: choice('mode', 'mode', 'MODE', taskModes),
  priority: integer('priority', 'priority'),
  runner: text('runner', 'runner', 'NAME'),
  input: { flags: [{ name: 'input', value: 'JSON', what: whatOf('input') }], read: inputOf },
  source: text('source', 'source', 'NAME', 'cli'),
  rights: text('rights', 'rights', 'CLASS', ''),
  author: text('author', 'author', 'NAME', 'your user name'),
  onLost: choice('onLost', 'on-lost', 'POLICY', onLostPolicies),
  maxAttempts: integer('maxAttempts', 'max-attempts'),
  conversation: choice('conversation', 'conversation', 'WHICH', taskConversations),
  expiresIn: {
    flags: [{ name: 'expires-in', value: 'TIME', what: `${whatOf('expiresIn')}. Also with a unit: 90s, 10m, 24h, 7d` }],
    read: expiresIn,
  },
  model: text('model', 'model', 'NAME'),
  agent: text('agent', 'agent', 'NAME'),
  permissions: {
    flags: [
      {
        name: 'permissions',
        value: 'MODE',
        kind: 'choice',
        choices: permissionModes,
        what: whatOf('permissions'),
      },
      {
        name: 'allow',
        value: 'RULE',
        many: true,
        what: 'with --permissions: also allow this, such as edit or "Bash(npm test)"; repeatable',
      },
      { name: 'deny', value: 'RULE', many: true, what: 'with --permissions: deny this in every mode; repeatable' },
    ],
    read: permissionsOf,
  },
  labels: {
    flags: [{ name: 'label', value: 'NAME=TEXT', many: true, what: `${whatOf('labels')}; repeatable` }],
    read: labelsOf,
  },
};

export const taskFlags: readonly Flag[] = Object.values<Reader<unknown>>(readers).flatMap(({ flags }) => flags);

/** The fields that the flags of a call set. Throws `usage`. */
export function taskFieldsOf(call: Call): Omit<TaskSpecInput, 'prompt'> {
  const fields = Object.entries<Reader<unknown>>(readers).map(([field, { read }]) => [field, read(call)] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

function inputOf(call: Call): unknown {
  const json = call.text('input');
  try {
    return json === null ? undefined : JSON.parse(json);
  } catch {
    throw new AppError({
      code: 'usage',
      message: '--input is not JSON',
      hint: 'Quote it for the shell: --input \'{"depth":2}\'',
    });
  }
}

function permissionsOf(call: Call): NonNullable<TaskSpecInput['permissions']> | undefined {
  const mode = call.choice('permissions', permissionModes);
  const [allow, deny] = [call.all('allow'), call.all('deny')];
  if (mode !== null) {
    return { mode, allow, deny };
  }
  if (allow.length + deny.length === 0) {
    return undefined;
  }
  throw new AppError({
    code: 'usage',
    message: '--allow and --deny need --permissions',
    hint: 'Say what holds for everything else: --permissions ask.',
  });
}

function labelsOf(call: Call): NonNullable<TaskSpecInput['labels']> | undefined {
  const labels = call.all('label').map((label): readonly [string, string] => {
    const at = label.indexOf('=');
    if (at < 1) {
      throw new AppError({ code: 'usage', message: `--label must be NAME=TEXT, not ${JSON.stringify(label)}` });
    }
    return [label.slice(0, at), label.slice(at + 1)];
  });
  return labels.length === 0 ? undefined : Object.fromEntries(labels);
}

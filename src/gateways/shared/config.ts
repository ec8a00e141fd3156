/** What the sections of several webhook sources have in common in the configuration: the secret, the conditions, and the task that a delivery becomes. */
import { AppError } from '../../core/errors.ts';
import type { RunnerUse } from '../descriptor.ts';
import type { Schema, Wire } from '../../protocol/schema.ts';
import { taskSpec } from '../../protocol/task-spec.ts';

const secretMin = 8;
const secretText = { type: 'string', minLength: secretMin, maxLength: 500 } as const satisfies Schema;

export const secret = {
  anyOf: [secretText, { type: 'array', minItems: 1, maxItems: 10, items: secretText }],
  description:
    'Shared secret, or several of which any may have signed, to replace one without a gap. Better from the environment than from a file under version control.',
} as const satisfies Schema;

const template = {
  type: 'string',
  minLength: 1,
  maxLength: 20_000,
  description: 'Text with `{fact}` places; `{{` and `}}` stand for braces.',
} as const satisfies Schema;

const fieldPath = {
  type: 'string',
  minLength: 1,
  maxLength: 300,
  pattern: '^[A-Za-z0-9_$.-]+$',
} as const satisfies Schema;
const factName = { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9_]{0,49}$' } as const satisfies Schema;
const factNames = { type: 'array', maxItems: 50, items: factName } as const satisfies Schema;

const scalar = { type: ['string', 'number', 'boolean', 'null'] } as const satisfies Schema;

const values = {
  type: 'object',
  maxProperties: 20,
  propertyNames: fieldPath,
  additionalProperties: { anyOf: [scalar, { type: 'array', minItems: 1, maxItems: 100, items: scalar }] },
} as const satisfies Schema;

export const conditions = {
  if: {
    ...values,
    description:
      'Paths into the payload, and the value (or one of the values) that each must have. Null: absent. `@bot`: the login of the bot.',
  },
  unless: { ...values, description: 'Paths into the payload, and the values that none of them may have.' },
} as const;

/** The prompt, session, source, author and labels of a task are made from the delivery. */
const { prompt: _prompt, input: _input, source: _source, author: _author, labels: _labels, ...literals } = taskSpec;

/** Fields of a task that a rule sets to one value, as it is written: nothing in a delivery can choose a model or a permission. */
export type LiteralField = keyof typeof literals;
export const literalFields = Object.keys(literals) as readonly LiteralField[];

/** How a delivery becomes a task. */
export const task = {
  ...literals,
  prompt: { ...template, description: `${template.description} Facts with text from outside are quoted.` },
  facts: {
    type: 'object',
    maxProperties: 50,
    propertyNames: factName,
    additionalProperties: { anyOf: [fieldPath, { type: 'array', minItems: 1, maxItems: 10, items: fieldPath }] },
    description:
      'Further facts for the templates, by the path into the payload that leads to each (or several, of which the first that leads to a value counts).',
  },
  blocks: { ...factNames, description: 'Facts with text of many lines, quoted as a block; `body` is always one.' },
  require: {
    ...factNames,
    description: 'Facts without which a delivery is refused. Those that `session` and `source` use are needed anyway.',
  },
  session: { ...template, maxLength: 500, description: 'Key of the session.' },
  sessionPrefix: {
    type: 'string',
    minLength: 1,
    maxLength: 200,
    description:
      'What the key must begin with. A delivery that makes another one is refused: without this, a template that begins with a fact lets the payload choose any session.',
  },
  source: {
    ...template,
    maxLength: 500,
    description:
      'Only tasks of one source and one rights class are merged or steered together, replaced or interrupted by each other.',
  },
  author: { ...factName, description: 'Fact that says who wrote it; default `author`.' },
  labels: {
    type: 'object',
    maxProperties: 40,
    propertyNames: { type: 'string', pattern: '^[A-Za-z0-9._:/-]{1,100}$' },
    additionalProperties: { ...template, maxLength: 1000 },
    description: 'Labels of the task; one that uses a fact which the delivery does not have is left out.',
  },
} as const;

/** GitHub's longest comment has 65,536 characters; an agent can read the rest at its address. */
export const quoteMax = {
  type: 'integer',
  minimum: 100,
  maximum: 200_000,
  default: 16_000,
  description: 'Characters of each quoted text that go into a prompt.',
} as const satisfies Schema;

export const bytes = (description: string, byDefault: number) =>
  ({
    type: 'integer',
    minimum: 1,
    maximum: 1_073_741_824,
    default: byDefault,
    description: `Bytes. ${description}`,
  }) as const;

const taskSchema = { type: 'object', additionalProperties: false, properties: task } as const satisfies Schema;
const conditionsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: conditions,
} as const satisfies Schema;

/** How a delivery becomes a task, as a section says it. */
export type HookTaskTemplate = Wire<typeof taskSchema>;
/** Which deliveries count, as a section says it. */
export type HookConditions = Wire<typeof conditionsSchema>;

/** The code runner of a rule, with its place; none where it makes a turn of the agent. */
export const runnerUse = (where: string, { runner }: Pick<HookTaskTemplate, 'runner'>): readonly RunnerUse[] =>
  typeof runner === 'string' ? [{ where: `${where}.runner`, runner }] : [];

/** The secrets of a section as a list. Files and pipes end with a line break, which is no part of a secret. */
export const secretsOf = (given: string | readonly string[]): readonly string[] =>
  (typeof given === 'string' ? [given] : given).map((secret) => secret.replace(/[\r\n]+$/, ''));

/** As `secretsOf`. Throws `bad_config` for one that no sender can have meant. */
export function checkedSecrets(given: string | readonly string[], section: string): readonly string[] {
  const secrets = secretsOf(given);
  for (const [index, one] of secrets.entries()) {
    const wrong =
      one.length < secretMin
        ? `has fewer than ${secretMin} characters`
        : // eslint-disable-next-line no-control-regex -- these are what it looks for
          /[\u0000-\u001f\u007f]/.test(one)
          ? 'has a line break or another control character in it'
          : one.trim() === one
            ? null
            : 'begins or ends with a blank';
    if (wrong !== null) {
      throw new AppError({
        code: 'bad_config',
        message: `${section}.secret${typeof given === 'string' ? '' : `[${index}]`} ${wrong}`,
        hint: 'Write the secret as the settings of the sender show it. A line break at its end is removed.',
      });
    }
  }
  return secrets;
}

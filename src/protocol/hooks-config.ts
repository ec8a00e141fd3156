/**
 * The parts `github` and `hooks` of the configuration: doors through which other systems deliver events that become tasks.
 * Shapes only; `src/gateways` compiles them, and refuses at start what does not fit together. Texts are in docs/github.md and docs/hooks.md.
 */
import type { Resolved, Schema, Wire } from './schema.ts';
import { TASK_SPEC } from './task-spec.ts';

const secretText = { type: 'string', minLength: 8, maxLength: 500 } as const satisfies Schema;

const secret = {
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

const conditions = {
  if: {
    ...values,
    description:
      'Paths into the payload, and the value (or one of the values) that each must have. Null: absent. `@bot`: the login of the bot.',
  },
  unless: { ...values, description: 'Paths into the payload, and the values that none of them may have.' },
} as const;

/** The prompt, session, source, author and labels of a task are made from the delivery. */
const { prompt: _prompt, input: _input, source: _source, author: _author, labels: _labels, ...literals } = TASK_SPEC;

/** Fields of a task that a rule sets to one value, as it is written: nothing in a delivery can choose a model or a permission. */
export type LiteralField = keyof typeof literals;
export const LITERAL_FIELDS = Object.keys(literals) as readonly LiteralField[];

/** How a delivery becomes a task; of one meaning in both sections. */
const task = {
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

const quoteMax = {
  type: 'integer',
  minimum: 100,
  maximum: 200_000,
  default: 16_000,
  description: 'Characters of each quoted text that go into a prompt.',
} as const satisfies Schema;

const bytes = (description: string, byDefault: number) =>
  ({
    type: 'integer',
    minimum: 1,
    maximum: 1_073_741_824,
    default: byDefault,
    description: `Bytes. ${description}`,
  }) as const;

/** Names of the built-in rules, for `like`. The table itself is in `src/gateways/github/rules.ts`. */
export const GITHUB_RULE_NAMES = [
  'comment',
  'review',
  'review-comment',
  'check-failed',
  'workflow-failed',
  'issue-assigned',
  'issue-labelled',
  'review-requested',
] as const;
export type GithubRuleName = (typeof GITHUB_RULE_NAMES)[number];

export const GithubRuleSchema = {
  type: 'object',
  description:
    'Turns an event into a task, or says why not. The first rule that fits decides; yours come before the built-in ones.',
  additionalProperties: false,
  properties: {
    like: {
      type: 'string',
      enum: GITHUB_RULE_NAMES,
      description: 'Start from this built-in rule, change what is given here, and stand in its place.',
    },
    on: {
      type: 'string',
      pattern: '^(\\*|[a-z0-9_]+)(\\.(\\*|[A-Za-z0-9_-]+))?$',
      description: 'Event, or event and action, such as `issue_comment.created`; `*` fits any.',
    },
    ...conditions,
    ignore: { type: 'string', minLength: 1, maxLength: 200, description: 'Make no task of it, for this reason.' },
    own: {
      type: 'string',
      enum: ['ignore', 'take'],
      description: 'Whether events that the bot itself caused count; default `ignore`.',
    },
    ...task,
  },
} as const satisfies Schema;
export type GithubRule = Wire<typeof GithubRuleSchema>;

export const GithubConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['secret'],
  properties: {
    secret,
    bot: {
      type: 'array',
      maxItems: 50,
      items: { type: ['string', 'integer'], minLength: 1, maxLength: 100 },
      description:
        'Who the agent is on GitHub: login, id of the account, or `app:` and the id of a GitHub App. Events it caused are its own. `@bot` in conditions means the logins.',
    },
    ignoreBots: { type: 'boolean', default: false, description: 'Also ignore what other bots write.' },
    trusted: {
      type: 'array',
      maxItems: 10,
      items: {
        type: 'string',
        enum: [
          'OWNER',
          'MEMBER',
          'COLLABORATOR',
          'CONTRIBUTOR',
          'FIRST_TIME_CONTRIBUTOR',
          'FIRST_TIMER',
          'MANNEQUIN',
          'NONE',
        ],
      },
      default: ['OWNER', 'MEMBER', 'COLLABORATOR'],
      description: 'Authors with one of these associations get the rights class `trusted`, all others `untrusted`.',
    },
    rules: { type: 'array', maxItems: 500, items: GithubRuleSchema },
    builtin: { type: 'boolean', default: true, description: 'Use the built-in rules after yours.' },
    quoteMax,
    maxBodyBytes: bytes('GitHub delivers nothing larger than 25 MB.', 26_214_400),
  },
} as const satisfies Schema;

export const HookConfigSchema = {
  type: 'object',
  description: 'A source that signs by Standard Webhooks, at `POST /hooks/{name}`.',
  additionalProperties: false,
  required: ['secret', 'session', 'prompt'],
  properties: {
    secret,
    ...conditions,
    ...task,
    quoteMax,
    maxBodyBytes: bytes('Standard Webhooks advises senders to stay below 20 kB.', 1_048_576),
  },
} as const satisfies Schema;

/** As written in a file; `GithubConfig` and `HookConfig` have the defaults filled in. */
export type GithubConfigInput = Wire<typeof GithubConfigSchema>;
export type HookConfigInput = Wire<typeof HookConfigSchema>;
export type GithubConfig = Resolved<typeof GithubConfigSchema>;
export type HookConfig = Resolved<typeof HookConfigSchema>;

/** What both sections share. */
export type HookTaskTemplate = Omit<GithubRule, 'like' | 'on' | 'if' | 'unless' | 'ignore' | 'own'>;
export type HookConditions = Pick<GithubRule, 'if' | 'unless'>;

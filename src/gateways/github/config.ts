/** The section `github` of the configuration. `hook.ts` compiles it, and refuses at start what does not fit together. */
import type { Schema, Wire } from '../../protocol/schema.ts';
import { bytes, conditions, quoteMax, secret, task } from '../shared/config.ts';

/** Names of the built-in rules, for `like`. `rules.ts` has the rules themselves. */
export const githubRuleNames = [
  'comment',
  'review',
  'review-comment',
  'check-failed',
  'workflow-failed',
  'issue-assigned',
  'issue-labelled',
  'review-requested',
] as const;
export type GithubRuleName = (typeof githubRuleNames)[number];

export const GithubRuleSchema = {
  type: 'object',
  description:
    'Turns an event into a task, or says why not. The first rule that fits decides; yours come before the built-in ones.',
  additionalProperties: false,
  properties: {
    like: {
      type: 'string',
      enum: githubRuleNames,
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
    untrusted: {
      type: 'string',
      enum: ['ignore', 'read-only', 'as-trusted'],
      default: 'ignore',
      description:
        'What a request of anyone else does. `ignore`: nothing. `read-only`: a task of the rights class `untrusted`, which has the policy `permissions.untrusted`. `as-trusted`: the same as that of a trusted author.',
    },
    rules: { type: 'array', maxItems: 500, items: GithubRuleSchema },
    builtin: { type: 'boolean', default: true, description: 'Use the built-in rules after yours.' },
    quoteMax,
    // GitHub: "Payloads are capped at 25 MB. If your event generates a larger payload, a webhook will not be fired."
    maxBodyBytes: bytes('GitHub delivers nothing larger than 25 MB.', 26_214_400),
  },
} as const satisfies Schema;

/** As written in a file, without the defaults. */
export type GithubConfigInput = Wire<typeof GithubConfigSchema>;

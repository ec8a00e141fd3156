/** Joins the configured rules with the built-in ones, compiles them, and finds the one that takes a delivery. */
import { AppError } from '../../core/errors.ts';
import { botMark, failing, readConditions, type Condition } from '../shared/conditions.ts';
import { compileTask, type CompiledTask } from '../shared/task-template.ts';
import type { GithubConfigInput, GithubRule, GithubRuleName } from './config.ts';
import { isBot, isOwn, type Identities } from './identity.ts';
import { eventReasons, ignoreReasons } from './ignored.ts';
import { builtinRules, commonFacts, defaultSession, defaultSource, type RuleSpec, type Trust } from './rules.ts';

interface CompiledRule {
  readonly name: string;
  readonly event: string;
  readonly action: string | null;
  readonly when: readonly Condition[];
  readonly own: 'ignore' | 'take';
  readonly trust: Trust;
  readonly does:
    | { readonly kind: 'task'; readonly task: CompiledTask }
    | { readonly kind: 'ignore'; readonly why: string };
}

/** Facts that the gateway gives beside those read from the body. */
const givenFacts = ['event', 'action', 'delivery', 'rule'] as const;
const defaultLabels = { delivery: '{delivery}', event: '{event}', rule: '{rule}', number: '{number}', url: '{url}' };

/** The configured rules in their order, then the built-in ones that none of them replaces. Throws `bad_config`. */
export function compileRules(
  config: Pick<GithubConfigInput, 'rules' | 'builtin' | 'quoteMax'>,
): readonly CompiledRule[] {
  const replaced = new Set<GithubRuleName>();
  const own = (config.rules ?? []).map((rule, index) => {
    if (rule.like !== undefined) {
      replaced.add(rule.like);
    }
    return compileRule(
      rule.like ?? `rules[${index}]`,
      readRule(rule, `github.rules[${index}]`),
      `github.rules[${index}]`,
      config.quoteMax,
      rule.ignore,
    );
  });
  if (config.builtin === false) {
    return own;
  }
  const builtin = Object.entries(builtinRules)
    .filter(([name]) => !replaced.has(name as GithubRuleName))
    .map(([name, spec]) => compileRule(name, spec, `built-in rule ${name}`, config.quoteMax, undefined));
  return [...own, ...builtin];
}

function readRule(rule: GithubRule, where: string): RuleSpec {
  const { like, on, if: wanted, unless, ignore: _ignore, own, ...task } = rule;
  const base = like === undefined ? null : builtinRules[like];
  if (base === null && on === undefined) {
    throw new AppError({
      code: 'bad_config',
      message: `${where}: neither "on" nor "like"`,
      hint: 'Say which event it takes, such as on: "status", or which built-in rule it changes.',
    });
  }
  const written = readConditions(
    { ...(wanted === undefined ? {} : { if: wanted }), ...(unless === undefined ? {} : { unless }) },
    where,
  );
  // A condition on a field takes the place of the built-in one on it, and has its reason.
  const when = (base?.when ?? []).filter(({ field }) => !written.some((one) => one.field === field));
  for (const one of written) {
    when.push({ ...one, otherwise: base?.when.find(({ field }) => field === one.field)?.otherwise ?? one.otherwise });
  }
  const [event = '*', action] = on === undefined ? [base?.event, base?.action ?? undefined] : on.split('.');
  return {
    ...base,
    ...task,
    facts: { ...base?.facts, ...task.facts },
    labels: { ...base?.labels, ...task.labels },
    event,
    action: action === undefined || action === '*' ? null : action,
    when,
    own: own ?? base?.own ?? 'ignore',
    trust: base?.trust ?? { by: 'author' },
  };
}

function compileRule(
  name: string,
  spec: RuleSpec,
  where: string,
  quoteMax: number | undefined,
  ignore: string | undefined,
): CompiledRule {
  const { event, action, when, own, trust, ...task } = spec;
  const head = { name, event, action, when, own, trust };
  if (ignore !== undefined) {
    return { ...head, does: { kind: 'ignore', why: ignore } };
  }
  const facts = { ...commonFacts, ...task.facts };
  // Default labels name facts that a rule of one's own need not have.
  const labels = Object.fromEntries(
    Object.entries(defaultLabels).filter(([fact]) => fact in facts || (givenFacts as readonly string[]).includes(fact)),
  );
  const compiled = compileTask(
    { ...task, facts },
    { where, given: givenFacts, defaults: { session: defaultSession, source: defaultSource, labels }, quoteMax },
  );
  return { ...head, does: { kind: 'task', task: compiled } };
}

type Chosen =
  | { readonly kind: 'task'; readonly rule: CompiledRule; readonly task: CompiledTask }
  | { readonly kind: 'ignored'; readonly reason: string; readonly detail: string };

/** The first rule that fits. When none does: what the last rule that was meant for this event and action objected to. */
export function chooseRule(
  rules: readonly CompiledRule[],
  delivery: { readonly event: string; readonly action: string | null; readonly body: unknown },
  options: { readonly identities: Identities; readonly ignoreBots: boolean },
): Chosen {
  const { event, action, body } = delivery;
  let objection: Chosen | null = null;
  for (const rule of rules) {
    if ((rule.event !== '*' && rule.event !== event) || (rule.action !== null && rule.action !== action)) {
      continue;
    }
    const reason = objectionOf(rule, body, options);
    if (reason !== null) {
      objection = because(reason, rule.name);
    } else if (rule.does.kind === 'ignore') {
      return { kind: 'ignored', reason: 'ignored_by_rule', detail: rule.does.why };
    } else {
      return { kind: 'task', rule, task: rule.does.task };
    }
  }
  if (objection !== null) {
    return objection;
  }
  if (rules.some((rule) => rule.event === event)) {
    return because('action_not_mapped', null);
  }
  return because(
    eventReasons.get(event) ??
      (Object.values(builtinRules).some((rule) => rule.event === event) ? 'no_rule' : 'unknown_event'),
    null,
  );
}

function objectionOf(
  rule: CompiledRule,
  body: unknown,
  { identities, ignoreBots }: { readonly identities: Identities; readonly ignoreBots: boolean },
): string | null {
  if (rule.own === 'ignore' && isOwn(body, identities)) {
    return 'own_event';
  }
  if (rule.own === 'ignore' && ignoreBots && isBot(body)) {
    return 'bot_event';
  }
  const condition = failing(rule.when, body, identities.logins);
  if (condition === null) {
    return null;
  }
  return condition.oneOf?.includes(botMark) === true && identities.logins.size === 0
    ? 'bot_not_configured'
    : condition.otherwise;
}

function because(reason: string, rule: string | null): Chosen {
  const text = (ignoreReasons as { readonly [code: string]: string })[reason] ?? '';
  return { kind: 'ignored', reason, detail: rule === null ? text : `${text} (rule ${rule})` };
}

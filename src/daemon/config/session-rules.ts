/** What the configuration says of single sessions: `sessions`, of which the first entry that matches counts. */
import { AppError } from '../../core/errors.ts';
import { globOf } from '../../core/glob.ts';
import type { Assigned } from '../../core/model/session.ts';
import type { AgentConfig, SessionRule } from '../../protocol/config.ts';

export type AgentConfigs = Readonly<{ [name: string]: AgentConfig }>;

/** Null: no entry matches. */
export function ruleFinder(rules: readonly SessionRule[]): (session: string) => SessionRule | null {
  const entries = rules.map((rule) => ({ fits: globOf(rule.match), rule }));
  return (session) => entries.find(({ fits }) => fits.test(session))?.rule ?? null;
}

/** The agent of a session whose first sender names none: that of its entry, else the first one. */
export function usualAgent(rules: readonly SessionRule[], agents: AgentConfigs): (session: string) => Assigned {
  const ruleOf = ruleFinder(rules);
  const [first = ''] = Object.keys(agents);
  return (session) => {
    const { agent = first, model = null } = ruleOf(session) ?? {};
    return { agent, model };
  };
}

/** Throws `bad_config` where an entry names an agent that is not there. */
export function checkRules(rules: readonly SessionRule[], agents: AgentConfigs): void {
  for (const [at, { agent }] of rules.entries()) {
    if (agent !== undefined && !Object.hasOwn(agents, agent)) {
      throw new AppError({
        code: 'bad_config',
        message: `sessions.${at}.agent: there is no agent ${JSON.stringify(agent)}`,
        hint: `Name one of: ${Object.keys(agents).join(', ')}; or add it to \`agents\`.`,
      });
    }
  }
}

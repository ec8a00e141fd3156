/** docs/permissions.md, docs/providers.md and docs/security.md against what they speak of. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { failureRules, type FailureClass } from '../../src/agents/failures.ts';
import { defaultPolicies } from '../../src/core/model/permission.ts';
import { policyDecision } from '../../src/core/rules/permission-policy.ts';
import { checkConfig } from '../../src/daemon/config/schema.ts';
import { validate } from '../../src/protocol/validate.ts';
import { PermissionPolicySchema } from '../../src/protocol/permissions.ts';
import { defaultLimits } from '../../src/runtime/options.ts';
import { contextPlan, crashPlan, throttleRules } from '../../src/runtime/throttle/rules.ts';
import { read, root } from '../tidy/files.ts';

const [permissions, providers] = ['permissions', 'providers'].map((name) => read(`docs/${name}.md`));

/** Rows of the table whose head begins so, as lists of cells. */
function rowsOf(page: string | undefined, head: string): string[][] {
  const lines = page?.split('\n') ?? [];
  const at = lines.findIndex((line) => line.startsWith(`| ${head} |`));
  const body = lines.slice(at + 2);
  const end = body.findIndex((line) => !line.startsWith('|'));
  return body.slice(0, end).map((line) =>
    line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  );
}

const timeText = (ms: number): string =>
  ms >= 3_600_000 ? `${ms / 3_600_000} h` : ms >= 60_000 ? `${ms / 60_000} min` : `${ms / 1000} s`;

describe('docs/providers.md', () => {
  test('has each class once, with its wait and with what it does to its task', () => {
    const rows = rowsOf(providers, 'class').flatMap(([classes = '', ...cells]) =>
      classes.split(', ').map((name) => [name.replaceAll('`', '') as FailureClass, ...cells] as const),
    );
    const names = rows.map(([name]) => name);
    expect(new Set(names)).toEqual(new Set(Object.keys(failureRules)));
    expect(names).toHaveLength(Object.keys(failureRules).length);
    for (const [name, turn = '', waits = '', others = ''] of rows) {
      const retried = name === 'context' ? 'is retried in a fresh conversation' : 'is retried';
      expect([name, turn]).toEqual([
        name,
        failureRules[name].transient || name === 'context' ? retried : 'fails its task',
      ]);
      const rule = throttleRules[name];
      if (rule === undefined) {
        expect([name, waits, others]).toEqual([name, 'no', 'do not wait']);
      } else {
        expect(waits).toContain(`${timeText(rule.firstMs)}, at most ${timeText(rule.maxMs)}`);
      }
    }
  });

  test('has the wait of a session that is to keep a conversation which is too long', () => {
    const { firstMs, maxMs } = contextPlan;
    expect(providers).toContain(`waits, ${timeText(firstMs)}, at most ${timeText(maxMs)}`);
  });

  test('has the numbers for crash loops', () => {
    const { maxCrashes, crashThrottleMs } = defaultLimits;
    expect(providers).toContain(`\`limits.maxCrashes\` (${maxCrashes})`);
    expect(providers).toContain(`\`limits.crashThrottleMs\` (${timeText(crashThrottleMs)})`);
    expect([crashPlan.firstMs, crashPlan.maxMs]).toEqual([500, 30_000]);
    expect(providers).toContain('half a second, doubling, at most 30 s');
  });
});

describe('docs/permissions.md', () => {
  test('says the defaults of the code', () => {
    expect(defaultPolicies.interactive.mode).toBe('read-only');
    expect(defaultPolicies.background).toEqual({ mode: 'ask', allow: ['edit'], deny: [] });
    expect(permissions).toContain('`interactive` is `read-only`');
    expect(permissions).toContain('`background` is `ask`, with `edit` allowed');
  });

  test('has a table of modes that agrees with the code', () => {
    const word = { allow: 'allowed', deny: 'denied', wait: 'waits for a person' } as const;
    const rows = rowsOf(permissions, '`mode`');
    expect(rows).toHaveLength(3);
    for (const [mode = '', ...cells] of rows) {
      const checked = validate(PermissionPolicySchema, { mode: mode.replaceAll('`', '') });
      const policy = { mode: checked.ok ? checked.value.mode : 'read-only', allow: ['edit'], deny: [] } as const;
      const asks = (['read', 'edit', 'execute'] as const).map((kind) => ({ kind, tool: 'X', title: 'x' }));
      expect([mode, ...cells]).toEqual([mode, ...asks.map((ask) => word[policyDecision(policy, ask) ?? 'wait'])]);
    }
  });

  test('has rules and a configuration that the checks accept', () => {
    const rules = rowsOf(permissions, 'rule').map(([rule = '']) => rule.replaceAll('`', ''));
    expect(validate(PermissionPolicySchema, { mode: 'ask', allow: rules })).toMatchObject({ ok: true });
    const source = /permissions: (\{[^]*?\n {2}\}),\n/.exec(permissions ?? '')?.[1] ?? '';
    const json = source
      .replace(/(\w[\w-]*):/g, '"$1":')
      .replaceAll("'", '"')
      .replace(/,(\s*\})/g, '$1');
    expect(checkConfig({ permissions: JSON.parse(json) as unknown })).toMatchObject({ ok: true });
  });
});

test('docs/security.md has the wait for a folder that the code has', () => {});

test.each(['permissions', 'providers', 'security'])('docs/%s.md has no link to a missing file', (name) => {
  const links = [...read(`docs/${name}.md`).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, path = '']) => path);
  expect(links.filter((path) => !existsSync(join(root, 'docs', path)))).toEqual([]);
});

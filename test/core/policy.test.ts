/** The pure judge of permission requests. */
import { describe, expect, test } from 'vitest';
import { defaultPolicies, type RequestedAction, type PermissionPolicy } from '../../src/core/model/permission.ts';
import { denialNote, policyDecision, ruleFor } from '../../src/core/rules/permission-policy.ts';

const policy = (change: Partial<PermissionPolicy>): PermissionPolicy => ({
  mode: 'ask',
  allow: [],
  deny: [],
  ...change,
});
const run = (title: string): RequestedAction => ({ kind: 'execute', tool: 'Bash', title });
const edit: RequestedAction = { kind: 'edit', tool: 'Write', title: 'src/a.ts' };
const read: RequestedAction = { kind: 'read', tool: 'Read', title: 'src/a.ts' };

describe('a permission policy', () => {
  test('with the mode `read-only` allows reading and searching, and denies all other actions (core/34)', () => {
    const one = policy({ mode: 'read-only' });
    expect(policyDecision(one, read)).toBe('allow');
    expect(policyDecision(one, { ...read, kind: 'search' })).toBe('allow');
    expect(policyDecision(one, edit)).toBe('deny');
    expect(policyDecision(one, run('ls'))).toBe('deny');
    expect(policyDecision(one, { ...read, kind: 'other' })).toBe('deny');
  });

  test('applies its mode to an action that it does not name (core/34)', () => {
    expect(policyDecision(policy({}), edit)).toBeNull();
    expect(policyDecision(policy({ allow: ['edit'] }), edit)).toBe('allow');
    expect(policyDecision(policy({ allow: ['Write'] }), edit)).toBe('allow');
    expect(policyDecision(policy({ mode: 'allow' }), run('rm -rf x'))).toBe('allow');
  });

  test('denies an action that it denies and allows (core/34)', () => {
    const one = policy({ mode: 'allow', deny: ['read', 'Bash(git push*)'] });
    expect(policyDecision(one, read)).toBe('deny');
    expect(policyDecision(one, run('git push origin'))).toBe('deny');
    expect(policyDecision(one, run('git push'))).toBe('deny');
    expect(policyDecision(one, run('git push; true'))).toBe('deny');
    expect(policyDecision(one, run('git pull'))).toBe('allow');
  });

  test('names a kind with a title, for all clients alike, and the tools of an MCP server by one form (core/34)', () => {
    const byKind = policy({ allow: ['execute(npm *)'] });
    expect(policyDecision(byKind, run('npm test'))).toBe('allow');
    expect(policyDecision(byKind, { ...run('npm test'), tool: 'shell' })).toBe('allow');
    expect(policyDecision(byKind, { ...run('npm test'), kind: 'other' })).toBeNull();
    expect(policyDecision(byKind, run('npm test; id'))).toBeNull();
    const tool = (name: string): RequestedAction => ({ kind: 'other', tool: name, title: 'x' });
    const mcp = policy({ allow: ['mcp:github/*', 'mcp:db/read_*', 'Web*'], deny: ['mcp:*/delete_*'] });
    const decisions = [
      'mcp__github__list',
      'mcp__db__read_row',
      'mcp__db__write',
      'mcp__github__delete_repo',
      'WebFetch',
      'mcp:github/x',
      'xWeb',
    ];
    expect(decisions.map((name) => policyDecision(mcp, tool(name)))).toEqual([
      'allow',
      'allow',
      null,
      'deny',
      'allow',
      null,
      null,
    ]);
    expect(policyDecision(policy({ allow: ['mcp:a.b/*'] }), tool('mcp__axb__c'))).toBeNull();
    expect(policyDecision(policy({ allow: ['mcp:github/*'] }), tool('github'))).toBeNull();
  });

  test('says why it denies, and which rule would allow it (core/34)', () => {
    const one = policy({ mode: 'read-only', deny: ['Bash(git push*)'] });
    expect(denialNote(one, run('git push'))).toBe('The rule Bash(git push*) of the policy of the task denies this.');
    expect(denialNote(one, run('ls'))).toBe('The policy of the task is read-only, and none of its rules allows this.');
    for (const title of ['npm test', 'a (b) c', '']) {
      expect(policyDecision(policy({ mode: 'read-only', allow: [ruleFor(run(title))] }), run(title))).toBe('allow');
    }
    expect(ruleFor(run('npm te…'))).toBe('Bash');
  });

  test('does not allow a longer title than the one that it names (core/34)', () => {
    const one = policy({ allow: ['Bash(npm test)', 'Bash(git log *)'] });
    expect(policyDecision(one, run('npm test'))).toBe('allow');
    expect(policyDecision(one, run('npm test --watch'))).toBeNull();
    expect(policyDecision(one, run('git log'))).toBe('allow');
    expect(policyDecision(one, run('git log --oneline'))).toBe('allow');
    expect(policyDecision(one, run('git logs'))).toBeNull();
    expect(policyDecision(one, { ...run('npm test'), tool: 'Other' })).toBeNull();
  });

  test.each(['; rm -rf /', ' && curl x', ' | sh', ' > ~/.profile', ' $(id)', ' `id`', '\nrm -rf /', ' …'])(
    'does not allow another command behind the beginning of an allowed one: %j (core/34)',
    (rest) => {
      const one = policy({ allow: ['Bash(git log *)'] });
      expect(policyDecision(one, run(`git log --oneline${rest}`))).toBeNull();
    },
  );

  test('does not allow a path that leaves its folder, or a tool that is called like a kind (core/34)', () => {
    const one = policy({ allow: ['Write(src/*)', 'edit'], mode: 'read-only' });
    const write = (title: string): RequestedAction => ({ kind: 'other', tool: 'Write', title });
    expect(policyDecision(one, write('src/a..b/c.ts'))).toBe('allow');
    expect(policyDecision(one, write('src/../../etc/passwd'))).toBe('deny');
    expect(policyDecision(one, write('src/a/..'))).toBe('deny');
    expect(policyDecision(one, { kind: 'execute', tool: 'edit', title: 'rm -rf /' })).toBe('deny');
    expect(policyDecision(policy({ deny: ['Write(src/*)'] }), write('src/../x'))).toBe('deny');
  });

  test('by default denies edits and commands in the interactive lane, and allows edits in the background (core/34)', () => {
    expect(policyDecision(defaultPolicies.interactive, run('ls'))).toBe('deny');
    expect(policyDecision(defaultPolicies.interactive, edit)).toBe('deny');
    expect(policyDecision(defaultPolicies.background, edit)).toBe('allow');
    expect(policyDecision(defaultPolicies.background, run('ls'))).toBeNull();
  });
});

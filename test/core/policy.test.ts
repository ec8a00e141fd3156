import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICIES, type PermissionAsk, type PermissionPolicy, judge } from '../../src/core/policy.ts';

const policy = (change: Partial<PermissionPolicy>): PermissionPolicy => ({
  mode: 'ask',
  allow: [],
  deny: [],
  ...change,
});
const run = (title: string): PermissionAsk => ({ kind: 'execute', tool: 'Bash', title });
const edit: PermissionAsk = { kind: 'edit', tool: 'Write', title: 'src/a.ts' };
const read: PermissionAsk = { kind: 'read', tool: 'Read', title: 'src/a.ts' };

describe('what a policy says of a request', () => {
  it('read-only allows reading and searching, and denies all else without asking anybody', () => {
    const one = policy({ mode: 'read-only' });
    expect(judge(one, read)).toBe('allow');
    expect(judge(one, { ...read, kind: 'search' })).toBe('allow');
    expect(judge(one, edit)).toBe('deny');
    expect(judge(one, run('ls'))).toBe('deny');
    expect(judge(one, { ...read, kind: 'other' })).toBe('deny');
  });

  it('ask leaves to a person what is not named, allow leaves nothing', () => {
    expect(judge(policy({}), edit)).toBeNull();
    expect(judge(policy({ allow: ['edit'] }), edit)).toBe('allow');
    expect(judge(policy({ allow: ['Write'] }), edit)).toBe('allow');
    expect(judge(policy({ mode: 'allow' }), run('rm -rf x'))).toBe('allow');
  });

  it('deny goes before everything, reading among it', () => {
    const one = policy({ mode: 'allow', deny: ['read', 'Bash(git push*)'] });
    expect(judge(one, read)).toBe('deny');
    expect(judge(one, run('git push origin'))).toBe('deny');
    expect(judge(one, run('git push'))).toBe('deny');
    expect(judge(one, run('git push; true'))).toBe('deny');
    expect(judge(one, run('git pull'))).toBe('allow');
  });

  it('a title is meant whole, and only a star stands for more', () => {
    const one = policy({ allow: ['Bash(npm test)', 'Bash(git log *)'] });
    expect(judge(one, run('npm test'))).toBe('allow');
    expect(judge(one, run('npm test --watch'))).toBeNull();
    expect(judge(one, run('git log'))).toBe('allow');
    expect(judge(one, run('git log --oneline'))).toBe('allow');
    expect(judge(one, run('git logs'))).toBeNull();
    expect(judge(one, { ...run('npm test'), tool: 'Other' })).toBeNull();
  });

  it.each(['; rm -rf /', ' && curl x', ' | sh', ' > ~/.profile', ' $(id)', ' `id`', '\nrm -rf /', ' …'])(
    'what hangs on the beginning of an allowed command is not allowed with it: %j',
    (rest) => {
      const one = policy({ allow: ['Bash(git log *)'] });
      expect(judge(one, run(`git log --oneline${rest}`))).toBeNull();
    },
  );

  it('by default triage may only look, and background work asks before it runs anything', () => {
    expect(judge(DEFAULT_POLICIES.interactive, run('ls'))).toBe('deny');
    expect(judge(DEFAULT_POLICIES.interactive, edit)).toBe('deny');
    expect(judge(DEFAULT_POLICIES.background, edit)).toBe('allow');
    expect(judge(DEFAULT_POLICIES.background, run('ls'))).toBeNull();
  });
});

import { describe, expect, test } from 'vitest';
import { detailOf } from '../../src/agents/claude/permissions.ts';
import { permissionRequestOf } from '../../src/agents/codex/permissions.ts';
import { boundedDetail } from '../../src/agents/shared/parts.ts';

describe('the detail of a permission request', () => {
  test('is complete where it is small', () => {
    const detail = { command: ['npm', 'test'], env: { CI: '1' }, files: [], timeout: 5, more: null };
    expect(boundedDetail(detail)).toEqual(detail);
  });

  test('keeps the beginning and the end of a long text, and says how much is missing', () => {
    const command = `first ${'x'.repeat(1_000_000)} last`;
    const { command: kept } = boundedDetail({ command }) as { readonly command: string };
    expect(kept).toMatch(/^first .*\n… \d+ bytes omitted …\n.* last$/s);
    expect(kept.length).toBeLessThan(70_000);
  });

  test('is bounded for many members, many items and long names', () => {
    const many = Array.from({ length: 100_000 }, (_, at) => at);
    const names = Object.fromEntries(many.map((at) => [`${'n'.repeat(500)}${at}`, at]));
    for (const detail of [many, names, { many, names, title: 'after' }]) {
      const text = JSON.stringify(boundedDetail(detail));
      expect(text.length).toBeLessThan(140_000);
      expect(text).toMatch(/… \d+ more omitted …/);
    }
  });

  test('marks what is nested too deeply', () => {
    let detail: unknown = 'inmost';
    for (let level = 0; level < 100; level += 1) {
      detail = [detail];
    }
    const text = JSON.stringify(boundedDetail(detail));
    expect(text).toContain('…');
    expect(text).not.toContain('inmost');
  });
});

describe('a driver', () => {
  const long = `echo ${'x'.repeat(20_000)} && rm -rf build`;

  test('of Claude Code passes on the whole command that a person judges', () => {
    const input = { command: long, description: 'tidy up' };
    const body = { subtype: 'can_use_tool', tool_name: 'Bash', input, permission_suggestions: [] };
    expect(detailOf(body)).toEqual({ tool_name: 'Bash', input });
  });

  test('of Codex passes on every change of a patch, with its whole diff', () => {
    const changes = Array.from({ length: 60 }, (_, at) => ({ path: `${at}.txt`, kind: { type: 'add' }, diff: long }));
    const params = { threadId: 'one', turnId: 'first', itemId: 'patch' };
    const method = 'item/fileChange/requestApproval';
    const request = permissionRequestOf({ id: 1, method, params, result: () => true, error: () => true });
    expect(request?.describe(() => ({ changes }), null).detail).toEqual({ ...params, changes });
  });
});

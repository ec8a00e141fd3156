import { describe, expect, test } from 'vitest';
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

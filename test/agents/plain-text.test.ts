/** Prompts as words: what each driver adds to a text, so that a program takes it for words, and no more than that. */
import { describe, expect, test } from 'vitest';
import { profiles } from '../../src/agents/acp/profiles/index.ts';
import { withPlainPrompt } from '../../src/agents/codex/plain-prompt.ts';
import type { JsonRpc, RpcOutcome } from '../../src/agents/child/json-rpc.ts';

const joiner = '\u2060';

describe('W02: a prompt for an ACP program', () => {
  test.each([
    ['gemini', '/memory show', `${joiner}/memory show`],
    ['gemini', ' \n$help', `${joiner} \n$help`],
    ['gemini', '@a.txt costs $5', '@a.txt costs $5'],
    ['copilot', ' /cwd /', `${joiner} /cwd /`],
    ['copilot', '$a and @b', '$a and @b'],
    ['claude-agent-acp', '/remote-control', `${joiner}/remote-control`],
    ['claude-agent-acp', 'a/b @c', 'a/b @c'],
    ['acp', '!ls', `${joiner}!ls`],
    ['acp', 'see @a.txt and a@b.c', `see @${joiner}a.txt and a@b.c`],
    ['opencode', '/compact', `${joiner}/compact`],
    ['codex-acp', '  /review', `${joiner}  /review`],
  ] as const)('of %s: %j', (profile, text, plain) => {
    expect(profiles[profile].plainText(text)).toBe(plain);
  });
});

describe('W02: a prompt for Codex', () => {
  /** What is used, and how often Codex was asked; `outcome` is its answer. */
  function used(text: string, outcome: RpcOutcome): readonly [plain: string | null, calls: number] {
    let [plain, calls]: [string | null, number] = [null, 0];
    const rpc: Pick<JsonRpc, 'call'> = {
      call(_method, _params, settled) {
        calls += 1;
        settled(outcome);
        return true;
      },
    };
    withPlainPrompt(rpc, text, (one) => {
      plain = one;
    });
    return [plain, calls];
  }
  const skills = (...names: readonly string[]): RpcOutcome => ({
    kind: 'result',
    result: { data: [{ skills: names.map((name) => ({ name })) }] },
  });

  test('is not changed, and Codex is not asked, where nothing looks like a mention', () => {
    expect(used('/compact @a $ 5', skills('a'))).toEqual(['/compact @a $ 5', 0]);
  });

  test('keeps variables, and mentions no skill', () => {
    expect(used('$path $a-skill, $a-skill:x', skills('a-skill'))).toEqual([
      `$path $${joiner}a-skill, $${joiner}a-skill:x`,
      1,
    ]);
    expect(used('[$x](/a/SKILL.md) [@y](plugin://z)', skills())).toEqual([
      `[$${joiner}x](/a/SKILL.md) [@${joiner}y](plugin://z)`,
      0,
    ]);
  });

  test('mentions nothing at all where the skills are not known', () => {
    const refused: RpcOutcome = { kind: 'error', error: { code: -32_601, message: 'no such method' } };
    expect(used('$a', refused)).toEqual([`$${joiner}a`, 1]);
    expect(used('$a', { kind: 'result', result: {} })).toEqual([`$${joiner}a`, 1]);
  });

  test('is not used when the channel breaks', () => {
    expect(used('$a', { kind: 'broken' })).toEqual([null, 1]);
  });
});

/** Several agents and what the configuration says of single sessions, from the file to what the agents answer, with a real daemon. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Cli } from '../support/cli.ts';

/** Says which agent it is, which model it is asked for, and where it works. */
const speaks = `
export default async function* agent(prompt: string) {
  yield 'mine: ' + prompt;
}
`;

describe('a daemon with several agents', () => {
  test('gives each session the agent of the first entry that matches, and names it in its views and doctor', async () => {
    await using cli = new Cli();
    const project = join(cli.folder, 'project');
    mkdirSync(project, { recursive: true });
    writeFileSync(join(project, 'mine.ts'), speaks);
    const config = join(project, 'signalbox.config.ts');
    const file = {
      agents: { usual: { kind: 'scripted' }, mine: { kind: 'function', module: join(project, 'mine.ts') } },
      sessions: [
        { match: 'acme:special', folder: './special' },
        { match: 'acme:*', agent: 'mine' },
      ],
    };
    writeFileSync(config, `export default ${JSON.stringify(file)}`);
    await cli.up(['--config', config]);
    const answer = async (words: readonly string[]): Promise<unknown> => {
      const { final } = (await cli.json(['send', ...words, '--wait'])) as { final: { answer: { text: string } } };
      return final.answer.text;
    };
    expect(await answer(['acme:app', 'p'])).toBe('mine: p');
    // The first entry that matches counts, with all that it does not say.
    expect(await answer(['acme:special', '[[text:usual]]'])).toBe('usual');
    expect(await answer(['other', 'q', '--agent', 'mine'])).toBe('mine: q');
    expect(await answer(['other', 'r'])).toBe('mine: r');
    expect(await cli.json(['session', 'acme:app'])).toMatchObject({ assigned: { agent: 'mine', model: null } });
    expect(await cli.json(['assign', 'acme:app', 'usual'])).toMatchObject({ state: 'applied', conversationLost: true });
    expect(await answer(['acme:app', '[[text:now usual]]'])).toBe('now usual');
    const { items } = (await cli.json(['providers'])) as { items: readonly { readonly agents: readonly string[] }[] };
    expect(items.flatMap(({ agents }) => agents)).toEqual(['usual', 'mine']);
    const { stdout } = await cli.run(['doctor', '--config', config]);
    expect(stdout).toMatch(/agents +usual \(scripted\), mine \(function\)/);
  });
});

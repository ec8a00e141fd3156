/** Contract cases: a prompt is words, whatever commands the program has. */
import assert from 'node:assert/strict';
import { type ContractCase, contractCase } from './contract.ts';

const words = contractCase(
  'W02: a prompt that its program takes for a command, or that mentions a file, reaches the model as text',
  { prompts: ['history'] },
  async ({ ready, say, subject }) => {
    await using agent = await ready();
    const { commands = [] } = subject;
    for (const [index, text] of commands.entries()) {
      agent.prompt(index + 1, text);
      assert.equal((await agent.result(index + 1)).result.outcome, 'completed', agent.transcript());
    }
    agent.prompt(commands.length + 1, say.history);
    const { report } = (await agent.result(commands.length + 1)).result;
    const known = visible(report.text);
    for (const text of commands) {
      assert.ok(known.includes(JSON.stringify(text).slice(1, -1)), `the model does not know ${text}: ${known}`);
    }
  },
);

/** Without what a driver may add that is not seen. */
const visible = (text: string): string => text.replace(/\\u2060|\u2060/g, '');

export const wordCases: readonly ContractCase[] = [
  {
    ...words,
    skip: (subject) => (subject.commands === undefined ? 'its program has no commands' : words.skip(subject)),
  },
];

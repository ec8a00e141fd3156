import { AppError } from '../../core/errors.ts';
import type { Command } from '../command.ts';

const shells = ['bash', 'zsh', 'fish'];

export const command: Command = {
  name: 'completion',
  group: 'Look after it',
  what: 'print the completion of commands and flags for a shell: bash, zsh or fish',
  next: 'Next: add the line for your shell to its start file',
  args: [{ name: 'SHELL' }],
  flags: [],
  examples: [
    { line: 'signalbox completion bash', what: 'in ~/.bashrc: source <(signalbox completion bash)' },
    { line: 'signalbox completion zsh', what: 'in ~/.zshrc, after compinit: source <(signalbox completion zsh)' },
    { line: 'signalbox completion fish', what: 'in ~/.config/fish/config.fish: signalbox completion fish | source' },
  ],
  async run(call, io) {
    const shell = call.arg('SHELL');
    const { completions } = await import('../completion.ts');
    const make = completions[shell];
    if (make === undefined) {
      throw new AppError({
        code: 'usage',
        message: `there is no completion for ${JSON.stringify(shell)}`,
        hint: `One of: ${shells.map((name) => `signalbox completion ${name}`).join(', ')}.`,
      });
    }
    const { commands } = await import('../registry.ts');
    io.print(make(commands));
    return 0;
  },
};

import type { TaskOrigin } from '../core/model/inputs.ts';
import type { TaskPayload } from '../store/port.ts';

const titleLength = 120;

/** Title, source and author of a task, as tapes and views show them. The one place that makes a title of a prompt. */
export const originOf = ({
  prompt,
  source,
  author,
}: Pick<TaskPayload, 'prompt' | 'source' | 'author'>): TaskOrigin => ({
  title: titleOf(prompt),
  source,
  author,
});

/** First line of a prompt with something on it, cut visibly. */
function titleOf(prompt: string): string {
  // A slice first: the prompt may be long and have no line break.
  const line =
    prompt
      .slice(0, titleLength * 2)
      .trimStart()
      .split('\n', 1)[0] ?? '';
  const characters = Array.from(line.trimEnd());
  return characters.length > titleLength ? `${characters.slice(0, titleLength - 1).join('')}…` : characters.join('');
}

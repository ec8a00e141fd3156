const titleLength = 120;

/** First line of a prompt with something on it, cut visibly. */
export function titleOf(prompt: string): string {
  // A slice first: the prompt may be long and have no line break.
  const line =
    prompt
      .slice(0, titleLength * 2)
      .trimStart()
      .split('\n', 1)[0] ?? '';
  const characters = Array.from(line.trimEnd());
  return characters.length > titleLength ? `${characters.slice(0, titleLength - 1).join('')}…` : characters.join('');
}

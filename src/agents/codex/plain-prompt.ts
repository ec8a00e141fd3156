/**
 * Prompts as words, for Codex. Measured with 0.169.0: it runs no `/command` and reads no `@path` of a prompt, but it adds the file
 * of a skill that a prompt mentions (`$name`, `[$name](path)`), and may set up what that skill depends on.
 *
 * Only names of skills are changed, which Codex is asked for: the same sign begins the variables of many languages.
 */
import { listAt, textAt } from '../child/fields.ts';
import { isFields } from '../child/json-lines.ts';
import type { JsonRpc } from '../child/json-rpc.ts';
import { afterMark } from '../shared/plain-text.ts';

const mention = /\$([A-Za-z0-9][\w:-]*)/g;
const linked = /\[([$@])(?=[^\]]+\]\()/g;

/** Calls `use` with the text that Codex takes for words: at once where nothing looks like a mention. Not at all if the channel breaks. */
export function withPlainPrompt(rpc: Pick<JsonRpc, 'call'>, text: string, use: (plain: string) => void): void {
  const plain = text.replace(linked, (_, mark: string) => afterMark(`[${mark}`));
  if (plain.search(mention) === -1) {
    use(plain);
    return;
  }
  rpc.call('skills/list', {}, (outcome) => {
    if (outcome.kind === 'broken') {
      return;
    }
    // One that does not know the request, or does not answer as it should, may know any skill.
    const names = outcome.kind === 'result' ? namesIn(outcome.result) : null;
    const isSkill = (name: string): boolean => names === null || names.some((one) => name.startsWith(one));
    use(plain.replace(mention, (whole, name: string) => (isSkill(name) ? `${afterMark('$')}${name}` : whole)));
  });
}

function namesIn(result: unknown): readonly string[] | null {
  if (!isFields(result) || !Array.isArray(result['data'])) {
    return null;
  }
  return listAt(result, 'data')
    .flatMap((entry) => listAt(entry, 'skills'))
    .map((skill) => textAt(skill, 'name') ?? '')
    .filter((name) => name !== '');
}

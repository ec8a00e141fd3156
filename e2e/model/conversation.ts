/** A request to a model as every dialect has it: the conversation so far, the tools, and what kind of answer is wanted. */

export interface Item {
  readonly role: 'system' | 'user' | 'assistant' | 'tool' | 'other';
  readonly kind: 'text' | 'call' | 'result' | 'other';
  readonly text: string;
}

export type DialectName = 'anthropic' | 'responses' | 'chat' | 'gemini';

export interface Asked {
  readonly dialect: DialectName;
  readonly model: string;
  readonly stream: boolean;
  readonly items: readonly Item[];
  /** Names of the tools that the model may call. */
  readonly tools: readonly string[];
  /** JSON schema that the answer has to satisfy; null: any text. Titles and classifiers ask so, a turn never does. */
  readonly schema: Fields | null;
}

export type Fields = { readonly [name: string]: unknown };

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Content that is a string, or a list of parts with text. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') {
    return content;
  }
  if (!Array.isArray(content)) {
    return content === undefined || content === null ? '' : JSON.stringify(content);
  }
  return content.map((part) => (typeof part === 'string' ? part : stringOf(fieldsOf(part)['text']))).join('');
}

export function roleOf(role: unknown): Item['role'] {
  switch (role) {
    case 'user':
    case 'assistant':
    case 'tool':
    case 'system':
      return role;
    case 'developer':
      return 'system';
    case 'model':
      return 'assistant';
    default:
      return 'other';
  }
}

const shownLength = 120;

/** The last items in short, for a log that a person reads. */
export function digest(items: readonly Item[], count = 8): readonly string[] {
  return items.slice(-count).map(({ role, kind, text }) => {
    const flat = text.replace(/\s+/g, ' ');
    return `${role}/${kind}: ${flat.length > shownLength ? `…${flat.slice(-shownLength)}` : flat}`;
  });
}

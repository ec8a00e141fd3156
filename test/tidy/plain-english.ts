/** Phrases that the documentation and the texts of the program do not use, each with what to write instead. */

interface Phrase {
  readonly pattern: RegExp;
  readonly instead: string;
}

const phrases: readonly Phrase[] = [
  {
    pattern: /\b(?:is|are|was|were|be|been|being) told\b/gi,
    instead: 'name the actor: "the prompt says", "the agent gets"',
  },
  {
    pattern:
      /\bof (?:its|his|her|their|our|your|my) own\b(?=\s*(?:[^\s\w(`*]|$|(?:and|as|at|beside|for|in|is|on|that|to|under|until|where|which|with|without)\b))/gm,
    instead: '"its own X" or "a separate X"',
  },
  { pattern: /\bgo(?:es)? on\b(?! (?:the|a|each|every|its) )/gi, instead: '"continue" or "resume"' },
  { pattern: /\banew\b/gi, instead: '"again"' },
  { pattern: /\blets? go\b/gi, instead: '"release"' },
  { pattern: /\bwho(?:so)?ever\b/gi, instead: 'name the actor' },
  { pattern: /\bsomebody\b/gi, instead: 'name the actor: a person, a caller, the sender' },
  { pattern: /\bnobody\b/gi, instead: 'negate the verb: "no task waits", "the sender does not wait"' },
  { pattern: /\bat rest\b/gi, instead: '"idle"' },
  { pattern: /\brides\b/gi, instead: '"is merged"' },
  {
    pattern: /\b(?:stands|stood) (?:in|on|at|for|there|here|beside|under|below|above|with|twice|once)\b/gi,
    instead: '"is", "is listed", "means"',
  },
  {
    pattern:
      /(?<!\bthere )\b(?:is|are) no (?!longer\b|more\b|other\b|later\b|further\b|less\b|[a-z]+er\b|such\b)[a-z]+/gi,
    instead: 'negate the verb: "is not an X"',
  },
  { pattern: /\b(?:is|are|was|were) to be (?:seen|found|had)\b/gi, instead: '"is missing", "does not exist"' },
  { pattern: /\bas things stand\b|\bas it should be\b/gi, instead: 'say which rule is broken' },
  { pattern: /\bgoes? round in\b/gi, instead: '"repeats"' },
  { pattern: /\bthat there is\b|\bwhat there is\b/gi, instead: 'name the thing' },
  { pattern: /\btakes? no notice\b/gi, instead: '"ignores"' },
  { pattern: /\bholds? (?:\w+ )?back\b|\bheld back\b/gi, instead: '"throttle", "wait"' },
];

interface Hit {
  readonly line: number;
  readonly found: string;
  readonly instead: string;
}

export function hitsIn(text: string): readonly Hit[] {
  return phrases.flatMap(({ pattern, instead }) =>
    [...text.matchAll(pattern)].map((match) => ({
      line: text.slice(0, match.index).split('\n').length,
      found: match[0],
      instead,
    })),
  );
}

const blank = (text: string): string => text.replaceAll(/[^\n]/g, ' ');

/** The prose of a page: without code blocks, code in a line, and addresses of links. */
export const proseOf = (page: string): string =>
  page.replaceAll(/^ *```[\s\S]*?^ *```|`[^`\n]*`|\]\([^)\n]*\)/gm, blank);

/** The string literals of a source file in their places; all other text is blank. */
export const literalsOf = (source: string): string => {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`/g;
  let text = '';
  let end = 0;
  for (const match of source.matchAll(token)) {
    const kept = match[0].startsWith('/') ? blank(match[0]) : match[0];
    text += blank(source.slice(end, match.index)) + kept;
    end = match.index + match[0].length;
  }
  return text + blank(source.slice(end));
};

/** The titles of the tests in a source file. Those that are not a plain literal are passed over. */
export const titlesOf = (source: string): readonly string[] => {
  const call = /\b(?:describe|it|test|check|contractCase)(?:\.\w+\([^()]*\)|\.\w+)?|\](?: as const)?\)/.source;
  const titles = source.matchAll(new RegExp(`(?:${call})\\(\\s*(['"\`])((?:[^\\\\\\n]|\\\\.)*?)\\1`, 'g'));
  return [...titles].map(([, , title = '']) => title);
};

/** A question leaves its answer to the body of the test. Ids of invariants may follow it. */
export const isQuestion = (title: string): boolean => /\bwhat if\b|\?(?: \([^)]*\))?$/i.test(title);

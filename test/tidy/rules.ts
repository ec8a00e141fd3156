/** The rules of house style that neither compiler nor linter has, as functions from text to what is wrong with it. */

export interface Finding {
  readonly line: number;
  readonly what: string;
}

/** Finds every match of a rule, line by line; comments are blanked first when `code` asks for code alone. */
function scan(text: string, rules: Readonly<Record<string, RegExp>>): Finding[] {
  const findings: Finding[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    for (const [what, pattern] of Object.entries(rules)) {
      if (pattern.test(line)) {
        findings.push({ line: index + 1, what });
      }
    }
  }
  return findings;
}

/** Blanks comments and keeps the lines. A quote inside a comment, or `//` inside a string, is good enough for style. */
export function withoutComments(text: string): string {
  return text
    .replace(/\/\*[^]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}

/** Ways around the type checker. The directives live in comments, so those are looked for in the whole text. */
export function escapesFromTypes(text: string): Finding[] {
  return [
    ...scan(text, { 'a ts directive': /@ts-(?:ignore|nocheck|expect-error)\b/ }),
    ...scan(withoutComments(text), {
      any: /(?:[:<|&,]|\bas)\s*any\s*(?:[;,)>=|&[{\]]|$)/,
      'as unknown as': /\bas\s+unknown\s+as\b/,
    }),
  ];
}

/** Tests that do not run, and tests that wait for a length of time instead of for an event. */
export function unsoundTests(text: string): Finding[] {
  return scan(withoutComments(text), {
    'a test left out': /\b(?:test|it|describe|suite|bench)(?:\.\w+)*\.(?:only|skip|todo)\b/,
    'a sleep': /\bsetTimeout\s*\(|\bsleep\s*\(|node:timers\/promises/,
  });
}

/** Absolute paths of the machine that a file was written on. */
export function machinePaths(text: string): Finding[] {
  return scan(text, { 'a machine path': /(?<![\w.~@%+=-])\/(?:work|root|farm)\// });
}

interface Import {
  readonly specifier: string;
  readonly line: number;
  /** A type-only import is erased; a dynamic one is loaded when it is reached. */
  readonly kind: 'static' | 'type' | 'dynamic';
}

export function importsOf(text: string): Import[] {
  const code = withoutComments(text);
  const pattern =
    /\b(?<how>import|export)\b(?<what>\s+type\b)?(?:[^;'"`()]*?\bfrom)?\s*(?<call>\()?\s*(['"`])(?<specifier>[^'"`]+)\4/g;
  return [...code.matchAll(pattern)].map((match) => ({
    specifier: match.groups?.['specifier'] ?? '',
    line: code.slice(0, match.index).split('\n').length,
    kind: match.groups?.['call'] !== undefined ? 'dynamic' : match.groups?.['what'] !== undefined ? 'type' : 'static',
  }));
}

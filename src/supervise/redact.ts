/**
 * Takes secrets out of what is kept or shown: tapes, logs, hang reports. Two kinds are known: values that we were told (the
 * daemon's own token and webhook secrets, what looks secret in its environment), and shapes that are secrets wherever they
 * stand (access tokens of well-known services, private keys, headers that authorize).
 *
 *  redact/1 No value that was told leaves whole: not as it is, not as JSON or a URL would escape it, not over any number of
 *           pieces.
 *  redact/2 A text without a secret comes out as it went in.
 *  redact/3 Of a value that comes in pieces at most its first `headMin - 1` characters leave, where a piece ends right
 *           behind them.
 *  redact/4 A text in pieces is held back only from where a secret may have begun, at most `holdMax` characters, until the
 *           next piece.
 *
 * What cannot be found: a secret that was changed (reversed, encoded, spelled out), one that is shorter than `secretMin`.
 */

/** Shorter values would be found everywhere. */
const secretMin = 8;
/** So much of a value must have been seen for the rest to be waited for. */
const headMin = 4;
/** Of what has left already, kept to recognise a secret that began in it. */
const contextMax = 16;
/** Longer than a private key of 8,192 bits. */
const holdMax = 16_384;

const replacement = '[redacted]';

export interface Redactor {
  text(text: string): string;
  /** Any JSON value; itself where nothing was found. */
  value(value: unknown): unknown;
  /** For one text that comes in pieces. */
  pieces(): RedactedPieces;
}

export interface RedactedPieces {
  /** What may leave now; often all of it, sometimes nothing. */
  push(piece: string): string;
  /** The text is over, or interrupted by something else: what was held back. */
  flush(): string;
}

const token = '[A-Za-z0-9_-]';
const privateKey = '[A-Z ]*PRIVATE KEY-----';

/**
 * `head`: how it begins, in few characters; `whole`: all of it. An agent may say what it likes, so each of these takes a
 * time that grows with the text and not with its square: one that can fail late begins at one place of a word only.
 */
const tokens: readonly { readonly head: string; readonly whole: string }[] = [
  // GitHub, GitLab, npm, Hugging Face, Slack, Google, AWS; OpenAI and Anthropic (sk-, sk-ant-, sk-proj-).
  { head: 'gh[pousr]_', whole: 'gh[pousr]_[A-Za-z0-9]{20,}' },
  { head: 'github_pat_', whole: 'github_pat_[A-Za-z0-9_]{20,}' },
  { head: 'glpat-', whole: `glpat-${token}{20,}` },
  // The named tokens of Signalbox, and those of its agents.
  { head: 'sbx_', whole: `sbx_${token}{40,}` },
  { head: 'npm_', whole: 'npm_[A-Za-z0-9]{30,}' },
  { head: 'hf_', whole: '(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,}' },
  { head: 'xox[abeprs]-', whole: 'xox[abeprs]-[A-Za-z0-9-]{10,}' },
  { head: 'AIza', whole: `AIza${token}{35}` },
  { head: 'A[KS]IA', whole: '(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16}' },
  { head: 'sk-', whole: `(?<![A-Za-z0-9])sk-${token}{20,}` },
  // A JSON Web Token: two objects and a signature.
  { head: 'eyJ', whole: `(?<!${token})eyJ${token}{10,}\\.eyJ${token}{10,}(?:\\.${token}+)?` },
];

const headers: readonly { readonly head: string; readonly whole: string; readonly open: string }[] = [
  {
    head: 'uthorization|UTHORIZATION',
    whole: `(?:[Aa]uthorization|AUTHORIZATION)["']?\\s*[:=]\\s*["']?(?:[A-Za-z]+\\s+)?[^\\s"',;]{${secretMin},}`,
    open: `(?:[Aa]uthorization|AUTHORIZATION)["']?\\s*(?:[:=]\\s*["']?(?:[A-Za-z]+\\s+)?[^\\s"',;]*)?`,
  },
  { head: 'earer', whole: '[Bb]earer\\s+[A-Za-z0-9._~+/-]{16,}', open: '[Bb]earer(?:\\s+[A-Za-z0-9._~+/-]*)?' },
];

const pem = { head: '-----BEGIN', whole: `-----BEGIN ${privateKey}[^]*?(?:-----END ${privateKey}|$)` };

const shapes = [...tokens, ...headers, pem];

const tokenHead = new RegExp(tokens.map(({ head }) => head).join('|'));
const openHeader = new RegExp(`(?:${headers.map(({ open }) => open).join('|')})$`);
/** Longest header that is waited for. */
const headerMax = 600;
const openKey = new RegExp(`^-----BEGIN(?: [A-Z ]*-{0,4}$| ${privateKey}|$)`);
const isTokenPart = (character: string): boolean => /[A-Za-z0-9_.-]/.test(character);

/** Names of variables whose values are taken for secrets. `KEY` as a word, or behind what makes it one: `APIKEY`. */
const secretName =
  /(?:TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)S?(?:_|$)|(?:^|_|API|ACCESS|AUTH|PRIVATE|SIGNING)KEYS?(?:_|$)/i;
/** A password within an address, such as `postgres://me:secret@host/`. */
const inAddress = /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:([^/\s@]+)@/i;

/** The values in an environment that look secret, long enough to be told from other words. */
export function secretsIn(environment: Readonly<{ [name: string]: string | undefined }>): readonly string[] {
  return Object.entries(environment).flatMap(([name, value = '']) => {
    const password = inAddress.exec(value)?.[1] ?? '';
    return [...(secretName.test(name) ? [value.trim()] : []), password].filter((text) => text.length >= secretMin);
  });
}

/** `found` is called for each text in which something was replaced. */
export function makeRedactor(secrets: readonly string[], found: () => void = () => {}): Redactor {
  return new Matcher(secrets, found);
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** As it is, as it stands within a JSON string, and within a URL. */
const formsOf = (secret: string): readonly string[] => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
];

class Matcher implements Redactor {
  /** Longest first: of two values of which one begins like the other, the whole is found. */
  readonly literals: readonly string[];
  /** Found in everything that has a secret in it, and in little else. */
  readonly heads: RegExp;
  readonly whole: RegExp;
  readonly found: () => void;

  constructor(secrets: readonly string[], found: () => void) {
    const forms = new Set(secrets.filter((text) => text.length >= secretMin).flatMap(formsOf));
    this.literals = [...forms].toSorted((a, b) => b.length - a.length);
    const literal = this.literals.map(escaped);
    const heads = new Set(this.literals.map((text) => escaped(text.slice(0, headMin))));
    this.heads = new RegExp([...heads, ...shapes.map(({ head }) => head)].join('|'));
    this.whole = new RegExp([...literal, ...shapes.map(({ whole }) => whole)].join('|'), 'g');
    this.found = found;
  }

  text(text: string): string {
    if (!this.heads.test(text)) {
      return text;
    }
    const clean = text.replace(this.whole, replacement);
    if (clean !== text) {
      this.found();
    }
    return clean;
  }

  value(value: unknown): unknown {
    if (typeof value === 'string') {
      return this.text(value);
    }
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    return this.heads.test(JSON.stringify(value)) ? this.#members(value) : value;
  }

  #members(value: unknown): unknown {
    if (typeof value === 'string') {
      return this.text(value);
    }
    if (Array.isArray(value)) {
      return value.map((member) => this.#members(member));
    }
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [this.text(name), this.#members(member)]));
  }

  pieces(): RedactedPieces {
    return new Pieces(this);
  }

  /** Where something begins at the end of the text that may be a secret as soon as more has come; its length if nothing. */
  openFrom(text: string): number {
    return Math.min(this.#openLiteral(text), openToken(text), openLine(text), openPrivateKey(text));
  }

  #openLiteral(text: string): number {
    let from = text.length;
    for (const literal of this.literals) {
      for (
        let size = Math.min(literal.length - 1, text.length);
        size >= headMin && text.length - size < from;
        size -= 1
      ) {
        if (text.endsWith(literal.slice(0, size))) {
          from = text.length - size;
        }
      }
    }
    return from;
  }
}

function openToken(text: string): number {
  let from = text.length;
  while (from > 0 && text.length - from <= holdMax && isTokenPart(text.charAt(from - 1))) {
    from -= 1;
  }
  const head = tokenHead.exec(text.slice(from));
  return head === null ? text.length : from + head.index;
}

function openLine(text: string): number {
  const from = Math.max(0, text.length - headerMax);
  const header = openHeader.exec(text.slice(from));
  return header === null ? text.length : from + header.index;
}

/** The first key that has begun behind the last one that has ended. */
function openPrivateKey(text: string): number {
  const from = text.indexOf(pem.head, text.lastIndexOf('-----END') + 1);
  return from !== -1 && openKey.test(text.slice(from)) ? from : text.length;
}

class Pieces implements RedactedPieces {
  readonly #matcher: Matcher;
  /** The end of what has left. */
  #context = '';
  #held = '';

  constructor(matcher: Matcher) {
    this.#matcher = matcher;
  }

  push(piece: string): string {
    const text = this.#context + this.#held + piece;
    if (!this.#matcher.heads.test(text)) {
      // Nothing was held: what is held has a head in it.
      this.#context = text.slice(-contextMax);
      return piece;
    }
    const open = this.#matcher.openFrom(text);
    return this.#leave(text, text.length - open > holdMax ? text.length : Math.max(open, this.#context.length));
  }

  flush(): string {
    return this.#held === '' ? '' : this.#leave(this.#context + this.#held, Number.POSITIVE_INFINITY);
  }

  /** Lets everything up to `end` leave; what has left before is at the beginning of `text`. */
  #leave(text: string, end: number): string {
    const { whole, found } = this.#matcher;
    const leaving = text.slice(0, end);
    let from = this.#context.length;
    let out = '';
    for (const match of leaving.matchAll(whole)) {
      const over = match.index + match[0].length;
      if (over > from) {
        out += leaving.slice(from, Math.max(from, match.index)) + replacement;
        from = over;
        found();
      }
    }
    out += leaving.slice(from);
    this.#held = text.slice(leaving.length);
    this.#context = leaving.slice(-contextMax);
    return out;
  }
}

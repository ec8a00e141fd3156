/**
 * Takes secrets out of what is kept or shown: tapes, logs, hang reports. Two kinds are known: values that we were told (the
 * daemon's own token and webhook secrets, what looks secret in its environment), and shapes that are secrets wherever they
 * stand (access tokens of well-known services, private keys, headers that authorize).
 *
 *  redact/1 No value that was told leaves whole: not as it is, not as JSON or a URL would escape it, not in base64 or
 *           hexadecimal digits, not over any number of pieces.
 *  redact/2 A text without a secret comes out as it went in.
 *  redact/3 Of a value that comes in pieces at most its first `headMin - 1` characters leave, where a piece ends right
 *           behind them.
 *  redact/4 A text in pieces is held back only from where a secret may have begun, at most `holdMax` characters, until the
 *           next piece.
 *
 * What cannot be found: a secret that was changed otherwise (reversed, encrypted, spelled out), one that is shorter than `secretMin`.
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

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);
const inAscii = (text: string): string =>
  text.replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Six bits are a letter, and a byte has eight: each place in a group of three bytes gives other letters. */
function base64Of(secret: string, before: number): readonly string[] {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
  // Without the letters that have bits of a neighbour.
  const from = Math.ceil((before * 8) / 6);
  const to = Math.floor((bytes.length * 8) / 6);
  return (['base64', 'base64url'] as const)
    .map((alphabet) => bytes.toString(alphabet).slice(from, to))
    .filter((text) => text.length >= secretMin);
}

/** As it is; within a JSON string, once and twice, also in ASCII; within a URL. */
const writtenForms = (secret: string): readonly string[] => [
  secret,
  inJson(secret),
  inJson(inJson(secret)),
  inAscii(inJson(secret)),
  inJson(secret).replaceAll('/', '\\/'),
  encodeURIComponent(secret),
];

/** In base64, wherever it begins, and in hexadecimal digits: one word, and none that looks like the value. */
const encodedForms = (secret: string): readonly string[] => [
  ...[0, 1, 2].flatMap((before) => base64Of(secret, before)),
  Buffer.from(secret).toString('hex'),
];

/** Letters of `encodedForms`. */
const isEncoded = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) ||
  (code >= 0x41 && code <= 0x5a) ||
  (code >= 0x2f && code <= 0x39) ||
  code === 0x2b ||
  code === 0x2d ||
  code === 0x5f;

/** Whether so many letters of `encodedForms` stand together. Looks at few letters of a text with shorter words. */
function hasWord(text: string, size: number): boolean {
  for (let at = size - 1; at < text.length; at += size) {
    let from = at;
    while (from >= 0 && isEncoded(text.charCodeAt(from))) {
      from -= 1;
    }
    let to = at;
    while (from < at && to - from <= size && isEncoded(text.charCodeAt(to))) {
      to += 1;
    }
    if (to - from > size) {
      return true;
    }
  }
  return false;
}

/** The word of such letters that the text ends with, which may go on in the next piece. */
function lastWord(text: string, max: number): string {
  let from = text.length;
  while (from > 0 && text.length - from < max && isEncoded(text.charCodeAt(from - 1))) {
    from -= 1;
  }
  return text.slice(from);
}

const headsOf = (literals: ReadonlySet<string>): readonly string[] => [
  ...new Set([...literals].map((text) => escaped(text.slice(0, headMin)))),
];

class Matcher implements Redactor {
  /** Longest first: of two values of which one begins like the other, the whole is found. */
  readonly literals: readonly string[];
  /** Found in everything that has a secret in it as it may be written, and in little else. */
  readonly #heads: RegExp;
  /** The same of encoded values. They are looked for only where a word is long enough for one, or may become so. */
  readonly #encodedHeads: RegExp | null;
  readonly #encodedMin: number;
  readonly whole: RegExp;
  readonly found: () => void;

  constructor(secrets: readonly string[], found: () => void) {
    const known = secrets.filter((text) => text.length >= secretMin);
    const written = new Set(known.flatMap(writtenForms));
    const encoded = new Set(known.flatMap(encodedForms));
    this.literals = [...written, ...encoded].toSorted((a, b) => b.length - a.length);
    const literal = this.literals.map(escaped);
    this.#heads = new RegExp([...headsOf(written), ...shapes.map(({ head }) => head)].join('|'));
    this.#encodedHeads = encoded.size === 0 ? null : new RegExp(headsOf(encoded).join('|'));
    this.#encodedMin = Math.min(...[...encoded].map(({ length }) => length));
    this.whole = new RegExp([...literal, ...shapes.map(({ whole }) => whole)].join('|'), 'g');
    this.found = found;
  }

  /** Whether a secret may be in the text, or may have begun at its end. */
  mayHold(text: string): boolean {
    if (this.#heads.test(text)) {
      return true;
    }
    const heads = this.#encodedHeads;
    return heads !== null && heads.test(hasWord(text, this.#encodedMin) ? text : lastWord(text, this.#encodedMin));
  }

  text(text: string): string {
    if (!this.mayHold(text)) {
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
    return this.mayHold(JSON.stringify(value)) ? this.#members(value) : value;
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
    const open = Math.min(this.#openLiteral(text), openToken(text), openLine(text), openPrivateKey(text));
    return open === text.length ? open : this.#behindLiteral(text, open);
  }

  /** Of a value that ends as it begins, the end is not the beginning of another: the place behind the value that lies across. */
  #behindLiteral(text: string, place: number): number {
    for (const match of text.matchAll(this.whole)) {
      const over = match.index + match[0].length;
      if (match.index < place && over > place && this.literals.includes(match[0])) {
        return over;
      }
    }
    return place;
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
    if (!this.#matcher.mayHold(text)) {
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

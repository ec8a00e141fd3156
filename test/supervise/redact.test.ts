import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeRedactor, secretsIn } from '../../src/supervise/index.ts';

/** Put together here, so that no scanner takes them for real ones. */
const shaped = {
  github: `ghp_${'Ab1'.repeat(12)}`,
  fineGrained: `github_pat_${'Ab1_'.repeat(20)}`,
  anthropic: `sk-ant-api03-${'x-Y_9'.repeat(16)}`,
  openai: `sk-${'Zz9'.repeat(16)}`,
  aws: `AKIA${'ABCD'.repeat(4)}`,
  slack: `xoxb-${'1234567890-'.repeat(3)}abc`,
  google: `AIza${'a1B2c'.repeat(7)}`,
  jwt: `eyJ${'hbGciOi'.repeat(3)}.eyJ${'zdWIiOi'.repeat(3)}.${'c2ln'.repeat(5)}`,
  key: `-----BEGIN RSA PRIVATE KEY-----\n${'MIIEow'.repeat(40)}\n-----END RSA PRIVATE KEY-----`,
} as const;

const told = ['s3cr3t-of-ours', 'a "quoted" one\\', 'pass/word+with&signs'];
const redactor = makeRedactor(told);

/** What comes out of a text that went in cut at the given places. */
function inPieces(text: string, at: readonly number[], by = redactor): string {
  const places = [...at.map((place) => place % (text.length + 1)).toSorted((a, b) => a - b), text.length];
  const pieces = by.pieces();
  let from = 0;
  let out = '';
  for (const place of places) {
    out += pieces.push(text.slice(from, place));
    from = place;
  }
  return out + pieces.flush();
}

describe('a redacted text', () => {
  test.each(Object.entries(shaped))('shows no secret of the shape: %s', (_name, secret) => {
    expect(redactor.text(`before ${secret} after`)).toBe('before [redacted] after');
    expect(redactor.text(secret)).toBe('[redacted]');
  });

  test.each(told)('shows no given value, in any of its forms: %s', (secret) => {
    expect(redactor.text(`<${secret}>`)).toBe('<[redacted]>');
    expect(redactor.text(`{"a":${JSON.stringify(secret)}}`)).toBe('{"a":"[redacted]"}');
    expect(redactor.text(`?q=${encodeURIComponent(secret)}&`)).toBe('?q=[redacted]&');
    expect(redactor.text(JSON.stringify(JSON.stringify({ a: secret })))).toBe(String.raw`"{\"a\":\"[redacted]\"}"`);
    expect(redactor.text(Buffer.from(secret).toString('hex'))).toBe('[redacted]');
  });

  test.each([
    ['Authorization: Bearer abcdefgh12345678', '[redacted]'],
    ['{"authorization":"Basic dXNlcjpwYXNz"}', '{"[redacted]"}'],
    ['curl -H "authorization: token abcdefgh" x', 'curl -H "[redacted]" x'],
    ['a bearer abcdefgh12345678 of', 'a [redacted] of'],
  ])('shows no header that authorizes: %s', (text, clean) => {
    expect(redactor.text(text)).toBe(clean);
  });

  test.each([
    'a task-force of twenty-two people-and-more',
    'the bearer of bad news; authorization is needed: yes',
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
    'ghp_short, sk-no, AKIA123, s3cr3t-of-our',
  ])('without a secret is unchanged: %s', (text) => {
    expect(redactor.text(text)).toBe(text);
    expect(inPieces(text, [1, 5, 9, 12, 20, 31])).toBe(text);
  });

  test('shows nothing of the longer of two values that begin alike', () => {
    const both = makeRedactor(['longsecret', 'longsecret-and-more']);
    expect(both.text('longsecret-and-more longsecret')).toBe('[redacted] [redacted]');
  });

  test('keeps a value that is too short to differ from other words', () => {
    expect(makeRedactor(['secret']).text('a secret')).toBe('a secret');
  });
});

test('a JSON value is redacted in all its parts and member names, and is returned itself where nothing is found', () => {
  const clean = { a: [1, null, { b: 'nothing' }], c: true };
  expect(redactor.value(clean)).toBe(clean);
  expect(redactor.value({ a: [told[0], { [`x${told[1]}`]: 1 }], n: 5, s: shaped.key })).toEqual({
    a: ['[redacted]', { 'x[redacted]': 1 }],
    n: 5,
    s: '[redacted]',
  });
  expect(redactor.value({ headers: { authorization: 'Bearer abcdefgh12345678' } })).toEqual({
    headers: { authorization: '[redacted]' },
  });
  expect(redactor.value(told[0])).toBe('[redacted]');
});

describe('a redacted text in pieces', () => {
  const secret = fc.constantFrom(...told, ...Object.values(shaped));
  const plain = fc.constantFrom(
    'hello ',
    'the quick fox\n',
    ' ',
    '. ',
    's3cr',
    'sk-',
    'Bea',
    '-----',
    'é🚂 ',
    'authorization ',
  );
  const text = fc
    .array(fc.oneof({ weight: 3, arbitrary: plain }, secret), { maxLength: 12 })
    .map((parts) => parts.join(' '));
  const cuts = fc.array(fc.nat(5_000), { maxLength: 40 });

  test('redact/1: shows no secret, wherever it is cut', () => {
    fc.assert(
      fc.property(text, cuts, (whole, at) => {
        const out = inPieces(whole, at);
        for (const value of [...told, ...Object.values(shaped)]) {
          expect(out).not.toContain(value);
          // redact/3: nor more of a told one than its first three characters.
          if (whole.includes(value) && told.includes(value)) {
            expect(out).not.toContain(value.slice(3));
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  /** As an agent, a tool or an error may write a value. */
  const forms: { readonly [name: string]: (secret: string) => string } = {
    plain: (secret) => secret,
    JSON: (secret) => JSON.stringify({ secret }),
    'JSON in JSON': (secret) => JSON.stringify(JSON.stringify({ secret })),
    'an error': (secret) => new Error(`401 for ${secret}`).stack ?? '',
    'a logged error': (secret) => JSON.stringify({ err: { message: `bad ${secret}`, cause: { message: secret } } }),
    'a path': (secret) => `/home/me/${secret}/x.json: ENOENT`,
    'a URL': (secret) => `https://example.com/?key=${encodeURIComponent(secret)}#top`,
    hexadecimal: (secret) => Buffer.from(secret).toString('hex'),
  };
  const value = fc.oneof(
    fc.constantFrom(...told),
    fc
      .string({ minLength: 8, maxLength: 60, unit: 'grapheme' })
      // Digits alone are found within their own encoding.
      .filter((text) => text.trim().length >= 8 && !/^[0-9a-f]+$/i.test(text)),
  );
  /** What may be read of it: a value, and its own decoding. */
  const readings = (text: string): readonly string[] => [
    text,
    ...[/"((?:[^"\\]|\\.)*)"/g].flatMap((strings) => [...text.matchAll(strings)].map(([whole]) => unquoted(whole))),
  ];
  const unquoted = (text: string): string => {
    try {
      return String(JSON.parse(text));
    } catch {
      return text;
    }
  };

  test.each(Object.entries(forms))('redact/1: shows no value in any form, wherever it is cut: %s', (_, form) => {
    fc.assert(
      fc.property(value, cuts, (secret, at) => {
        const own = makeRedactor([secret]);
        const text = form(secret);
        const out = inPieces(text, at, own);
        for (const one of [out, own.text(text)]) {
          for (const reading of readings(one)) {
            expect(reading).not.toContain(secret);
            expect(reading).not.toContain(encodeURIComponent(secret));
            expect(reading).not.toContain(Buffer.from(secret).toString('hex'));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('redact/1: shows no value in base64, whatever is before and behind it', () => {
    const bytes = fc.string({ maxLength: 9, unit: 'binary-ascii' });
    fc.assert(
      fc.property(
        value,
        bytes,
        bytes,
        fc.constantFrom('base64', 'base64url'),
        cuts,
        (secret, before, behind, how, at) => {
          const encoded = Buffer.from(before + secret + behind).toString(how);
          const own = makeRedactor([secret]);
          for (const out of [inPieces(encoded, at, own), own.text(encoded)]) {
            expect(out).toContain('[redacted]');
            // What is left of it is one letter at most on each side.
            const [left = '', right = ''] = out.split('[redacted]');
            expect(Buffer.from(left, how).toString('latin1').length).toBeLessThanOrEqual(
              Buffer.from(before).length + 4,
            );
            expect(Buffer.from(right, how).toString('latin1').length).toBeLessThanOrEqual(
              Buffer.from(behind).length + 1,
            );
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('redact/2: without a secret is unchanged', () => {
    const harmless = fc.array(plain, { maxLength: 40 }).map((parts) => parts.join(' '));
    fc.assert(
      fc.property(harmless, cuts, (whole, at) => {
        expect(inPieces(whole, at)).toBe(whole);
      }),
      { numRuns: 1_000 },
    );
  });

  test('shows nothing of a value that ends as it begins', () => {
    const own = makeRedactor(['abcd-and-abcd']);
    for (let at = 0; at <= 'abcd-and-abcd'.length; at += 1) {
      expect(inPieces('abcd-and-abcd', [at], own)).toMatch(/^.{0,3}\[redacted\]$/);
    }
  });

  test('shows at most the first three letters of a value that comes letter by letter', () => {
    const pieces = redactor.pieces();
    const out = Array.from('is s3cr3t-of-ours known?', (letter) => pieces.push(letter)).join('') + pieces.flush();
    expect(out).toBe('is s3c[redacted] known?');
  });

  test('redact/4: delays only a possible secret, and the next piece releases what is not one', () => {
    const pieces = redactor.pieces();
    expect(pieces.push('look: s3cr')).toBe('look: ');
    expect(pieces.push('amento ')).toBe('s3cramento ');
    expect(pieces.push(shaped.openai.slice(0, 30))).toBe('');
    expect(pieces.push(shaped.openai.slice(30))).toBe('');
    expect(pieces.push(' is gone')).toBe('[redacted] is gone');
    expect(pieces.push('the end s3cr3t')).toBe('the end ');
    expect(pieces.flush()).toBe('s3cr3t');
    expect(pieces.flush()).toBe('');
  });

  test('redact/4: without an end is not delayed for ever', () => {
    const pieces = redactor.pieces();
    let out = '';
    for (let piece = 0; piece < 40; piece += 1) {
      out += pieces.push(piece === 0 ? 'sk-' : 'a'.repeat(1_000));
    }
    expect(out).toContain('[redacted]');
  });
});

test('the redaction of hostile text takes time in proportion to its length, not to its square', () => {
  const size = 1_000_000;
  const worst = [
    'eyJ',
    'sk-',
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN ',
    'authorization:  ',
    'bearer  ',
    's3cr',
    'xoxb-',
  ];
  const spent = (text: string): number => {
    const began = performance.now();
    redactor.text(text);
    const pieces = redactor.pieces();
    pieces.push(text);
    pieces.push('-----END PRIVATE KEY----- !');
    pieces.flush();
    return performance.now() - began;
  };
  // Some 20 ms each; by the square of its length each would take minutes.
  for (const one of worst) {
    expect(spent(one.repeat(Math.ceil(size / one.length)))).toBeLessThan(3_000);
  }
});

test('the environment gives the values that look secret, by name or as a password in an address', () => {
  const environment = {
    GITHUB_TOKEN: 'token-1-token',
    MY_API_KEY: ' key-12345 ',
    APIKEY: 'apikey-12345',
    DB_PASSWORD_OLD: 'password-1',
    AWS_SECRET_ACCESS_KEY: 'access-12345',
    DATABASE_URL: 'postgres://me:hidden-in-url@host/db',
    SHORT_TOKEN: 'short',
    MONKEY_PATCH: 'disabled',
    KEYBOARD: 'qwertyuiop',
    PATH: '/usr/local/bin:/usr/bin',
    UNSET_SECRET: undefined,
  };
  expect(secretsIn(environment)).toEqual([
    'token-1-token',
    'key-12345',
    'apikey-12345',
    'password-1',
    'access-12345',
    'hidden-in-url',
  ]);
});

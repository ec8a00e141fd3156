/** Tokens of other callers, made, used and revoked on the command line of a real daemon. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exitCodes } from '../../src/core/error-codes.ts';
import { Cli } from '../support/cli.ts';

let cli: Cli;
beforeAll(async () => {
  cli = new Cli();
  await cli.up();
});
afterAll(async () => {
  await cli[Symbol.asyncDispose]();
});

test('a token is made, allows what its scopes say and no more, and is refused once it is revoked', async () => {
  const made = await cli.run([
    'token',
    'make',
    'ci',
    '--scope',
    'submit',
    '--scope',
    'read',
    '--session',
    'a*',
    '--expires-in',
    '30d',
  ]);
  expect(made.code).toBe(0);
  expect(made.stderr).toContain('shown once');
  const token = made.stdout.trim();
  const as = (...args: readonly string[]) => cli.run([...args, '--token', token]);
  expect((await as('send', 'abc', 'hello')).code).toBe(0);
  const elsewhere = await as('send', 'b', 'hello');
  expect([elsewhere.code, elsewhere.stderr]).toEqual([
    exitCodes.unauthorized,
    expect.stringContaining('for the sessions a*'),
  ]);
  const stopped = await as('stop', 'abc', '--scope', 'turn');
  expect([stopped.code, stopped.stderr]).toEqual([exitCodes.unauthorized, expect.stringContaining('needs operate')]);
  const listed = await cli.run(['token', 'list']);
  expect(listed.stdout).toMatch(/ci +read, submit +a\* .*(29|30) d more/);
  expect(listed.stdout).not.toContain(token);
  expect((await cli.run(['token', 'revoke', 'ci'])).code).toBe(0);
  const refused = await as('send', 'abc', 'hello');
  expect([refused.code, refused.stderr]).toEqual([exitCodes.unauthorized, expect.stringContaining('revoked')]);
  expect((await cli.run(['token', 'list'])).stdout).toContain('no named tokens');
});

test('a token without a scope, of a wrong name or for no time is refused with what to do', async () => {
  const none = await cli.run(['token', 'make', 'x']);
  expect([none.code, none.stderr]).toEqual([exitCodes.usage, expect.stringContaining('--scope read')]);
  expect((await cli.run(['token', 'make', 'A B', '--scope', 'read'])).code).toBe(exitCodes.usage);
  expect((await cli.run(['token', 'make', 'x', '--scope', 'read', '--expires-in', '0'])).code).toBe(exitCodes.usage);
  expect((await cli.run(['token', 'make', 'api', '--scope', 'read'])).code).toBe(exitCodes.refused);
  expect((await cli.run(['token', 'revoke', 'x'])).code).toBe(exitCodes.notFound);
});

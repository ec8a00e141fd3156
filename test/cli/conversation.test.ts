/** `tail` and `send --follow` show a conversation as a person reads it. */
import { expect, test } from 'vitest';
import { Cli, saying } from '../support/cli.ts';

/** Without what differs from run to run. */
const steady = (text: string): string[] =>
  text
    .trimEnd()
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
    .replace(/after \d+\.\d s.*/g, 'after N s')
    .split('\n');

test('text comes in whole lines, a tool in one, and a permission with the command that answers it', async () => {
  await using cli = new Cli();
  await cli.up();
  const prompt = '[[text:First line\nand the]] [[tool:grep]] [[text:rest of it\n\nlast]] [[ask:make it]]';
  const child = cli.spawn(['send', 'my app', prompt, '--follow', '--permissions', 'ask']);
  const whole = saying(child, /■ completed/);
  await saying(child, /approve/);
  await cli.json(['approve']);
  const lines = steady(await whole);
  expect(lines[0]).toBe('accepted ID in my app: has the session');
  expect(lines.slice(1)).toEqual([
    '❯ [[text:First line',
    'First line',
    'and the',
    '⚙ grep: grep',
    'rest of it',
    '',
    'last',
    '? asks for permission: shell: make it',
    "  → signalbox approve 'my app' r1, or deny",
    '✓ allowed by tester',
    '(allowed) ',
    '■ completed after N s',
  ]);
});

test('a preempted task says by whom, and where it resumes; a session names the task of each part', async () => {
  await using cli = new Cli();
  await cli.up();
  const { task } = await cli.json(['send', 's', '[[work:40,150]]', '--lane', 'background']);
  const long = String(task);
  const tail = cli.spawn(['tail', long, '--raw']);
  await saying(tail, /step 2/);
  tail.kill();
  const urgent = await cli.json(['send', 's', '[[text:urgent answer]]', '--wait']);
  const lines = steady((await cli.run(['tail', long])).stdout);
  expect(lines[0]).toBe('❯ [[work:40,150]]');
  expect(lines).toContain('◌ preempted by ID; it resumes afterwards');
  expect(lines.indexOf('▶ resumed')).toBeGreaterThan(lines.indexOf('◌ preempted by ID; it resumes afterwards'));
  expect(lines.at(-1)).toBe('■ completed after N s');
  const { stdout } = await cli.run(['tail', 's', '--no-follow']);
  const parts = stdout.split(/^── (.*) ──$/m);
  expect(parts.filter((_, at) => at % 2 === 1)).toEqual([long, String(urgent['id']), long, String(urgent['id']), long]);
  expect(parts[8]).toMatch(/urgent answer\n■ completed/);
});

test('a denied permission is one line, a failure ends with the words of the agent, and --raw shows the protocol', async () => {
  await using cli = new Cli();
  await cli.up();
  const denied = await cli.run(['send', 's', '[[ask:make it]]', '--follow', '--permissions', 'read-only']);
  expect(denied.stdout).toMatch(/^\? asks for permission: shell: make it\n✗ denied by policy: .*\n/m);
  expect(denied.stdout).not.toContain('approve');
  const allowed = await cli.run(['send', 's', '[[ask:make it]]', '--follow', '--permissions', 'allow']);
  expect(allowed.stdout).not.toMatch(/permission|approve/);
  const failed = await cli.run(['send', 'new', '[[api:401]]', '--follow']);
  expect(failed.stdout).toMatch(/■ failed \(auth: .*\n.*401.*\n.*Log in again/);
  expect(failed.code).toBe(1);
  const { items } = await cli.json(['tasks']);
  const [{ id }] = items as readonly [{ readonly id: string }];
  const raw = (await cli.run(['tail', id, '--raw'])).stdout;
  expect(raw.match(/#\d+/g)?.length).toBeGreaterThan(4);
});

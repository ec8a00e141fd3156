/** The pages about webhooks say what the code does: names and reasons are all there, and each example compiles and works. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { githubHook } from '../../src/gateways/github/hook.ts';
import { signStandardDelivery, standardHooks } from '../../src/gateways/standard-webhooks/hook.ts';
import { pushEvents } from '../../src/gateways/push/config.ts';
import { pushDoors } from '../../src/gateways/push/door.ts';
import { ignoreReasons } from '../../src/gateways/github/ignored.ts';
import { builtinRules } from '../../src/gateways/github/rules.ts';
import { checkConfig, type ConfigFile } from '../../src/daemon/config/schema.ts';
import { githubRuleNames } from '../../src/gateways/github/config.ts';
import { admissions, send } from '../support/deliveries.ts';

const page = (name: string): string => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
const pages = { github: page('github'), hooks: page('hooks') };

/** The configurations on a page, evaluated. */
function configurations(text: string): ConfigFile[] {
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => {
    const body = code.replace(/^\s*import .*$/m, '').replace('export default defineConfig(', 'return (');
    // oxlint-disable-next-line typescript/no-implied-eval
    const checked = checkConfig(new Function('process', body)({ env: {} }));
    if (!checked.ok) {
      throw new Error(JSON.stringify(checked.findings));
    }
    return checked.config;
  });
}

describe('docs/github.md', () => {
  test.each([...githubRuleNames])('has the rule %s', (name) => {
    const rule = builtinRules[name];
    expect(pages.github).toContain(`| \`${name}\` | \`${rule.event}.${rule.action ?? ''}\` |`);
  });

  test('has every reason, and no other one', () => {
    const section = pages.github.slice(pages.github.indexOf('## Reasons'), pages.github.indexOf('## Try it'));
    const listed = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, reason]) => reason);
    expect(new Set(listed)).toEqual(new Set(Object.keys(ignoreReasons)));
  });

  test('has examples that compile', () => {
    const examples = configurations(pages.github);
    expect(examples.length).toBe(2);
    for (const { github } of examples) {
      expect(github && githubHook({ box: admissions().box, config: github }).path).toBe('/hooks/github');
    }
  });
});

describe('docs/hooks.md', () => {
  const { box, accepted } = admissions();
  const [{ hooks = {} } = {}] = configurations(pages.hooks);
  const [handler] = standardHooks({ box, config: hooks });

  test('has an example that accepts a delivery', async () => {
    const { headers, body } = signStandardDelivery({
      secret: String(hooks['billing']?.secret),
      id: 'msg_0',
      sentAt: new Date(),
      payload: { type: 'invoice.disputed', data: { customer: 'cus_7', note: 'No.' } },
    });
    expect(handler && (await send(handler, { headers, rawBody: Buffer.from(body) }))).toMatchObject({ status: 202 });
    expect(accepted[0]).toMatchObject({ session: 'billing:cus_7', lane: 'background' });
  });

  test('has a script that signs as the hook expects', async () => {
    const script = /```sh\n([\s\S]*?)```/.exec(pages.hooks)?.[1] ?? '';
    const shown = script.replace(/^curl[\s\S]*$/m, 'printf "%s\\n" "$id" "$time" "v1,$signature" "$body"');
    const [id, time, signature, body] = execFileSync('sh', ['-euc', shown], {
      encoding: 'utf8',
      env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` },
    }).split('\n');
    const headers = { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature };
    expect(handler && (await send(handler, { headers, rawBody: Buffer.from(body ?? '') }))).toMatchObject({
      status: 202,
    });
  });
});

describe('docs/notify.md', () => {
  test('has an example that makes receivers, and every kind of message', () => {
    const text = page('notify');
    const [{ notify = [] } = {}] = configurations(text);
    expect(pushDoors(notify).map(({ name }) => name)).toEqual([
      expect.stringMatching(/^push:chat\.example\.org-/),
      'push:ops',
    ]);
    expect(new Set(notify.flatMap(({ on }) => on))).toEqual(new Set(pushEvents));
  });
});

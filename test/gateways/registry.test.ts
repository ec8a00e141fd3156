/** The webhook sources as the daemon loads them. */
import { expect, test } from 'vitest';
import { loadSources, sourceSecrets } from '../../src/gateways/registry.ts';
import { admissions, config, sharedSecret } from '../support/deliveries.ts';

const { box } = admissions();
const hook = { secret: `whsec_${Buffer.from('a secret').toString('base64')}`, session: 's', prompt: '{payload}' };

test('a source without a section is off', async () => {
  expect(await loadSources(box, {})).toEqual([]);
  expect(sourceSecrets({})).toEqual([]);
});

test('each section makes its handlers, and the redactor knows its secrets in every form', async () => {
  const sections = { github: config(), hooks: { billing: hook, ci: hook } };
  const handlers = await loadSources(box, sections);
  expect(handlers.map(({ path }) => path)).toEqual(['/hooks/github', '/hooks/billing', '/hooks/ci']);
  expect(sourceSecrets(sections)).toEqual(expect.arrayContaining([sharedSecret, hook.secret, hook.secret.slice(6)]));
});

test('an entry of `hooks` cannot take the address of another source', async () => {
  await expect(loadSources(box, { hooks: { github: hook } })).rejects.toMatchObject({
    code: 'bad_config',
    message: expect.stringContaining('/hooks/github belongs to the source github'),
  });
});

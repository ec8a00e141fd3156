/** Which hosts a list means. How the proxy keeps to it is in test/hostile. */
import { expect, test } from 'vitest';
import { isListed } from '../../src/supervise/sandbox/host-proxy.ts';

const hosts = ['api.example.org', '*.Example.net', 'localhost:8080', '*.dev.example.com:8443'];

test.each([
  ['api.example.org', 443, true],
  ['api.example.org', 80, true],
  ['api.example.org', 22, false],
  ['example.org', 443, false],
  ['evil-api.example.org', 443, false],
  ['api.example.org.evil.com', 443, false],
  ['a.b.example.net', 443, true],
  ['example.net', 443, false],
  ['evilexample.net', 443, false],
  ['localhost', 8080, true],
  ['localhost', 443, false],
  ['127.0.0.1', 8080, false],
  ['x.dev.example.com', 8443, true],
  ['x.dev.example.com', 443, false],
] as const)('the host %s at port %i is listed: %s', (host, port, listed) => {
  expect(isListed({ host, port }, hosts)).toBe(listed);
});

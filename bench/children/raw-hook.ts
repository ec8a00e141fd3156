/** The least that a webhook can be: node:http, the whole body, its HMAC, 202. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { secret } from '../support/delivery.ts';
import { serve } from './serve.ts';

const answer = JSON.stringify({ status: 'accepted' });

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const made = createHmac('sha256', secret).update(Buffer.concat(chunks)).digest('hex');
    const given = String(request.headers['x-hub-signature-256']).slice('sha256='.length);
    const right = made.length === given.length && timingSafeEqual(Buffer.from(made), Buffer.from(given));
    response.writeHead(right ? 202 : 401, { 'content-type': 'application/json', 'content-length': answer.length });
    response.end(answer);
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
serve(
  { port: (server.address() as AddressInfo).port },
  () => ({}),
  () => server.closeAllConnections(),
);

/** A receiver of Standard Webhooks on loopback: it compares signatures with those of the library, and takes each id once, as its standard asks. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import type { NotifyConfig, PushEvent } from '../../src/gateways/push/config.ts';
import { pushDoors } from '../../src/gateways/push/door.ts';
import type { Door } from '../../src/runtime/outbox/door.ts';
import type { Fault, Platform, Post } from './platform.ts';

export const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const otherSecret = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';

interface Payload {
  readonly type: string;
  readonly timestamp: string;
  readonly data: {
    readonly session: string;
    readonly task: string;
    readonly event: { readonly answer?: { readonly text: string } | null; readonly problem?: string };
  };
}

export class FakeReceiver implements Platform {
  fault: (request: number) => Fault | null = () => null;
  requests = 0;
  /** Requests whose id was known. */
  copies = 0;
  readonly payloads: Payload[] = [];
  last: { readonly headers: { readonly [name: string]: string }; readonly body: string } = { headers: {}, body: '' };
  readonly #ids = new Set<string>();
  readonly #on: readonly PushEvent[];
  #server: Server | null = null;
  #port = 0;
  #secret = secret;
  #arrivals: (() => void)[] = [];

  private constructor(on: readonly PushEvent[]) {
    this.#on = on;
  }

  static async open(on: readonly PushEvent[] = ['final']): Promise<FakeReceiver> {
    const receiver = new FakeReceiver(on);
    await receiver.up();
    return receiver;
  }

  get config(): NotifyConfig {
    return [{ on: [...this.#on], url: `http://127.0.0.1:${this.#port}/hook`, secret, name: 'ops' }];
  }

  get doors(): readonly Door[] {
    return pushDoors(this.config);
  }

  get posts(): readonly Post[] {
    return this.payloads.map(({ data }) => ({ task: data.task, text: data.event.answer?.text ?? '' }));
  }

  next(): Promise<void> {
    return new Promise((resolve) => this.#arrivals.push(resolve));
  }

  async up(): Promise<void> {
    this.#server = createServer((request, response) => void this.#receive(request, response));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async down(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server !== null) {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    }
  }

  revoke(): void {
    this.#secret = otherSecret;
  }

  restore(): void {
    this.#secret = secret;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const fault = this.fault(this.requests);
    const body = await buffer(request);
    const headers = request.headers as { [name: string]: string };
    this.last = { headers, body: body.toString('utf8') };
    if (!this.#isSigned()) {
      response.writeHead(401).end('no such signature');
      return;
    }
    const effect = (): void => this.#take(headers['webhook-id'] ?? '', JSON.parse(body.toString('utf8')) as Payload);
    if (fault === null) {
      effect();
      response.writeHead(204).end();
    } else if (fault.kind === 'lost') {
      effect();
      request.socket.destroy();
    } else if (fault.kind === 'late') {
      request.socket.once('close', effect);
    } else {
      if (fault.effect) {
        effect();
      }
      response.writeHead(fault.status, fault.headers).end('no');
    }
  }

  /** Time is moved by the test, so its age is not looked at here. */
  #isSigned(): boolean {
    const { headers, body } = this.last;
    const sentAt = new Date(Number(headers['webhook-timestamp']) * 1_000);
    const signature = new Webhook(this.#secret).sign(headers['webhook-id'] ?? '', sentAt, body);
    return (headers['webhook-signature'] ?? '').split(' ').includes(signature);
  }

  #take(id: string, payload: Payload): void {
    if (this.#ids.has(id)) {
      this.copies += 1;
      return;
    }
    this.#ids.add(id);
    this.payloads.push(payload);
    for (const arrived of this.#arrivals.splice(0)) {
      arrived();
    }
  }
}

/**
 * Restate's recipe for work that makes room: a virtual object runs one call of its exclusive handler at a time, and a call that runs is cancelled by
 * its id. The server is its own package on npm, on a folder of its own; the handler is served by this process.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { object, serve, type ObjectContext } from '@restatedev/restate-sdk';
import { freePort } from './postgres.ts';

export interface Holders extends AsyncDisposable {
  /** Milliseconds from the request to cancel the call that runs until the first step of the call behind it. */
  handOver(): Promise<number>;
}

interface Call {
  readonly stays: boolean;
}

const triesMax = 300;

export async function openRestate(folder: string): Promise<Holders> {
  const [ingress, admin, own, service] = [await freePort(), await freePort(), await freePort(), await freePort()];
  let began: () => void = () => {};
  const handlers = {
    run: async (ctx: ObjectContext, { stays }: Call): Promise<void> => {
      began();
      await (stays ? ctx.sleep(3_600_000) : null);
    },
  };
  await serve({ services: [object({ name: 'agent', handlers })], port: service, logger: () => {} });
  const server = spawn(programOf(), ['--node-name', 'bench', '--base-dir', folder], {
    stdio: 'ignore',
    env: {
      ...process.env,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
      RESTATE_BIND_ADDRESS: `127.0.0.1:${own}`,
      RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${own}`,
      RESTATE_DISABLE_TELEMETRY: 'true',
    },
  });
  const adminUrl = `http://127.0.0.1:${admin}`;
  await persistently(() => request(`${adminUrl}/health`));
  await persistently(() => request(`${adminUrl}/deployments`, { uri: `http://127.0.0.1:${service}` }));
  const send = async (call: Call): Promise<string> => {
    const { invocationId } = await request(`http://127.0.0.1:${ingress}/agent/one/run/send`, call);
    return String(invocationId);
  };
  const nextStep = (): Promise<number> => new Promise((resolve) => (began = () => resolve(performance.now())));
  return {
    async handOver() {
      const first = nextStep();
      const holder = await send({ stays: true });
      await first;
      const second = nextStep();
      await send({ stays: false });
      await new Promise((resolve) => setTimeout(resolve, 10));
      const at = performance.now();
      await request(`${adminUrl}/invocations/${holder}/cancel`, {}, 'PATCH');
      return (await second) - at;
    },
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGKILL');
      await gone;
    },
  };
}

function programOf(): string {
  const require = createRequire(import.meta.url);
  const inner = createRequire(require.resolve('@restatedev/restate-server/package.json'));
  const name = `@restatedev/restate-server-${process.platform}-${process.arch}`;
  return join(dirname(inner.resolve(`${name}/package.json`)), 'bin', 'restate-server');
}

async function request(url: string, body?: object, method = body === undefined ? 'GET' : 'POST') {
  const sent =
    body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(url, { method, ...sent });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${url}: ${response.status} ${text}`);
  }
  return (text === '' ? {} : JSON.parse(text)) as { readonly invocationId?: string };
}

/** While the server starts. */
async function persistently<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === triesMax) {
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

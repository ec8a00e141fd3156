/** A server of the Model Context Protocol with two tools: one that declares to read only, and one that does not. */
import { createInterface } from 'node:readline';

const say = (message: object): void => {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
};

const inputSchema = { type: 'object', properties: { where: { type: 'string' } } };
const tools = [
  { name: 'launch', description: 'launches', inputSchema, annotations: { readOnlyHint: false, destructiveHint: true } },
  { name: 'peek', description: 'looks', inputSchema, annotations: { readOnlyHint: true } },
];

interface Request {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly protocolVersion?: string; readonly name?: string };
}

function answer({ id, method, params }: Request): void {
  if (id === undefined) {
    return;
  }
  if (method === 'initialize') {
    const serverInfo = { name: 'pad', version: '1' };
    say({ id, result: { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo } });
  } else if (method === 'tools/list') {
    say({ id, result: { tools } });
  } else if (method === 'tools/call') {
    say({ id, result: { content: [{ type: 'text', text: `${params?.name}: done` }] } });
  } else {
    say({ id, error: { code: -32_601, message: 'no such method' } });
  }
}

createInterface({ input: process.stdin }).on('line', (line) => answer(JSON.parse(line) as Request));

/** The fake model API as a program: `node e2e/model/main.ts [PORT]`. Its log is NDJSON on standard output. */
import { line } from './log.ts';
import { startModel } from './server.ts';

const port = Number(process.argv[2] ?? 0);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  process.stderr.write('usage: node e2e/model/main.ts [PORT]\n');
  process.exit(2);
}
const model = await startModel({ port, onEvent: (event) => process.stdout.write(`${line(event)}\n`) });
process.stdout.write(`${JSON.stringify({ type: 'listening', url: model.url })}\n`);

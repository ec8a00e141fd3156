import type { Call } from '../call.ts';
import type { Io } from '../io.ts';

export async function run(_: Call, io: Io): Promise<number> {
  const { demo } = await import('../demo/run.ts');
  return demo(io);
}

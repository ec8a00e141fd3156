import type { Io } from '../io.ts';
export async function demo(io: Io): Promise<number> {
  io.print('todo');
  return 0;
}

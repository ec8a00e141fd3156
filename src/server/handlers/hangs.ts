/** Hang reports: a folder of files, and the watchdog that writes them. */
import type { HangReport } from '../../protocol/index.ts';
import { absent, type Handlers } from '../context.ts';
import { ProblemError } from '../respond.ts';

type HangOperation = 'listHangs' | 'getHang' | 'takeHang';

function found(id: string, report: HangReport | null): HangReport {
  if (report === null) {
    throw absent('unknown_hang', id);
  }
  return report;
}

export const hangHandlers: Handlers<HangOperation> = {
  listHangs: (_call, { hangs }) => ({ status: 200, body: { items: [...(hangs?.list() ?? [])] } }),
  getHang: ({ params }, { hangs }) => ({ status: 200, body: found(params.id, hangs?.get(params.id) ?? null) }),

  async takeHang(_call, { hangs }) {
    const take = hangs?.take ?? null;
    if (hangs === null || take === null) {
      throw new ProblemError('no_watchdog');
    }
    const { id } = await take();
    return { status: 200, body: found(id, hangs.get(id)) };
  },
};

/** Persons who answer what agents ask for: most of it, some of it twice, and now and then something that nobody asks any more. */
import { turnId } from '../src/core/model/ids.ts';
import { person } from './actors.ts';
import type { PermissionRequestView } from '../src/runtime/api.ts';
import type { Random } from './random.ts';
import type { WorldApi } from './world-api.ts';

/** Looks at what waits, and answers. */
export function decide(world: WorldApi, random: Random): void {
  world.call(
    'asks',
    (box) => box.permissionRequests(),
    (views) => {
      for (const view of views) {
        if (random.chance(0.8)) {
          answer(world, random, view);
        }
        if (random.chance(0.1)) {
          answer(world, random, {
            ...view,
            ...(random.chance(0.5) ? { request: 'r9' } : { turn: turnId(view.turn + 1) }),
          });
        }
      }
      return views.map(({ task, turn, request }) => `${task} ${turn} ${request}`).join(', ');
    },
  );
}

function answer(world: WorldApi, random: Random, { session, turn, request }: PermissionRequestView): void {
  const allow = random.chance(0.6);
  if (allow) {
    world.ledger.allowed.add(`${session} ${turn} ${request}`);
  }
  world.call(
    `${allow ? 'allow' : 'deny'} ${request} of turn ${turn} of ${session}`,
    (box) => box.respond(session, { turn, request, allow, by: person('ann'), note: 'because' }),
    (reply) => (reply.kind === 'ok' ? 'ok' : reply.code),
  );
}

/** Whatever was wrong with the provider is mended, an operator says. */
export const resume = (world: WorldApi): void =>
  world.call(
    'resume the provider',
    (box) => box.resumeProvider('simulated'),
    (reply) => (reply.kind === 'ok' ? 'ok' : reply.code),
  );

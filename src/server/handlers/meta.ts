/** The server itself: health, readiness, figures, description. */
import type { Handlers } from '../context.ts';

type MetaOperation = 'health' | 'ready' | 'metrics' | 'openapi';

export const metaHandlers: Handlers<MetaOperation> = {
  health: () => ({ status: 200, body: { status: 'ok' } }),

  ready(_call, { checkReady }) {
    const health = checkReady();
    if (health === null) {
      return { status: 200, body: { status: 'ready' } };
    }
    const { latencyMs, feedLagMs, durable } = health;
    return { status: 200, body: { status: 'ready', store: { latencyMs, feedLagMs, durable } } };
  },

  metrics: async (_call, { metrics }) => ({ text: await metrics(), type: 'text/plain; version=0.0.4; charset=utf-8' }),
  openapi: (_call, { openapi }) => ({ text: openapi(), type: 'application/json; charset=utf-8' }),
};

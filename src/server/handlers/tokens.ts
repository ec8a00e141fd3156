/** Named tokens: list, make, revoke. */
import { absent, type Handlers } from '../context.ts';

type TokenOperation = 'listTokens' | 'makeToken' | 'revokeToken';

export const tokenHandlers: Handlers<TokenOperation> = {
  listTokens: async (_call, { tokens }) => ({ status: 200, body: { items: await tokens.list() } }),
  makeToken: async ({ body }, { tokens }) => ({ status: 201, body: await tokens.make(body) }),

  async revokeToken({ params }, { tokens }) {
    if (!(await tokens.revoke(params.name))) {
      throw absent('unknown_token', params.name);
    }
    return { status: 200, body: { ok: true } };
  },
};

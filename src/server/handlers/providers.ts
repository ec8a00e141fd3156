/** Providers of models, and the throttles that they cause. */
import { type Handlers, okOrRefuse } from '../context.ts';

type ProviderOperation = 'listProviders' | 'resumeProvider';

export const providerHandlers: Handlers<ProviderOperation> = {
  listProviders: async (_call, { signalbox }) => ({ status: 200, body: { items: await signalbox.providers() } }),
  resumeProvider: async ({ params }, { signalbox }) =>
    okOrRefuse(await signalbox.resumeProvider(params.name), params.name),
};

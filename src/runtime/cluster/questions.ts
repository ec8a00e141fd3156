/** What one node answers others, besides commands: what only the owner of a session, or each node for itself, knows. */
import { holderCommands } from '../commands/holders.ts';
import type { HolderCommands } from '../api.ts';
import type { RuntimeParts } from '../parts.ts';
import { explain, ownPermissionRequests, sessionView } from '../queries/live.ts';
import type { Questions } from './inbox.ts';

/** About a call of a holder, as `HolderCommands.turn` takes it. */
export interface TurnQuestion {
  readonly task: string;
  readonly request: Parameters<HolderCommands['turn']>[1];
}

/** Who is asked does not ask on. */
const own = (parts: RuntimeParts): RuntimeParts => ({ ...parts, cluster: null });

/** Late, since the runtime's parts know the cluster, which is asked. */
export const questionsOf = (parts: () => RuntimeParts): Questions => ({
  explain: (task: string) => explain(own(parts()), task),
  session: (key: string) => sessionView(own(parts()), key),
  permissionRequests: () => Promise.resolve(ownPermissionRequests(parts())),
  resumeProvider: (name: string) => Promise.resolve(parts().registry.resumeProvider(name)),
  turn: ({ task, request }: TurnQuestion) => holderCommands(own(parts())).turn(task, request),
});

/**
 * Every command of `signalbox`, in the order of the help. A new command is its file and one line here: it parses the arguments,
 * prints the help and is described in docs/cli.md by the entry in its file. All of them are loaded at every start, so a
 * command loads by `import()` what only it needs.
 */
import type { Command } from './command.ts';
import { command as agentScripted } from './commands/agent-scripted.ts';
import { command as approve } from './commands/approve.ts';
import { command as attach } from './commands/attach.ts';
import { command as cancel } from './commands/cancel.ts';
import { command as demo } from './commands/demo.ts';
import { command as completion } from './commands/completion.ts';
import { command as deny } from './commands/deny.ts';
import { command as config } from './commands/config.ts';
import { command as doctor } from './commands/doctor.ts';
import { command as edit } from './commands/edit.ts';
import { command as evict } from './commands/evict.ts';
import { command as explain } from './commands/explain.ts';
import { command as exportAll } from './commands/export.ts';
import { command as hangs } from './commands/hangs.ts';
import { command as importAll } from './commands/import.ts';
import { command as init } from './commands/init.ts';
import { command as logs } from './commands/logs.ts';
import { command as migrate } from './commands/migrate.ts';
import { command as move } from './commands/move.ts';
import { command as assign } from './commands/assign.ts';
import { command as newConversation } from './commands/new.ts';
import { command as park } from './commands/park.ts';
import { command as permissions } from './commands/permissions.ts';
import { command as nodes } from './commands/nodes.ts';
import { command as nodesDrain } from './commands/nodes-drain.ts';
import { command as nodesResume } from './commands/nodes-resume.ts';
import { command as providers } from './commands/providers.ts';
import { command as providersResume } from './commands/providers-resume.ts';
import { command as replies } from './commands/replies.ts';
import { command as repliesDrop } from './commands/replies-drop.ts';
import { command as repliesResend } from './commands/replies-resend.ts';
import { command as restart } from './commands/restart.ts';
import { command as send } from './commands/send.ts';
import { command as session } from './commands/session.ts';
import { command as sessions } from './commands/sessions.ts';
import { command as status } from './commands/status.ts';
import { command as stop } from './commands/stop.ts';
import { command as tail } from './commands/tail.ts';
import { command as task } from './commands/task.ts';
import { command as tasks } from './commands/tasks.ts';
import { command as tokenList } from './commands/token-list.ts';
import { command as tokenMake } from './commands/token-make.ts';
import { command as tokenRevoke } from './commands/token-revoke.ts';
import { command as unpark } from './commands/unpark.ts';
import { command as up } from './commands/up.ts';
import { command as version } from './commands/version.ts';

export const commands: readonly Command[] = [
  up,
  init,
  demo,
  send,
  attach,
  status,
  task,
  tasks,
  tail,
  sessions,
  session,
  explain,
  edit,
  move,
  cancel,
  stop,
  evict,
  park,
  unpark,
  restart,
  newConversation,
  assign,
  permissions,
  approve,
  deny,
  nodes,
  nodesDrain,
  nodesResume,
  providers,
  providersResume,
  replies,
  repliesResend,
  repliesDrop,
  tokenMake,
  tokenList,
  tokenRevoke,
  exportAll,
  importAll,
  config,
  doctor,
  migrate,
  logs,
  hangs,
  completion,
  version,
  agentScripted,
];

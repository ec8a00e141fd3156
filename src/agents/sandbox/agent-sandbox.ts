/**
 * What the agents of one daemon see of the machine in their sandbox, and what they can reach.
 *
 *  agent-sandbox/1 Writable are the session's folder, its own home, what `writable` names, and folders in memory. Visible are also the
 *                  programs of the machine, what `readable` names, and the files of the user's that the program needs.
 *  agent-sandbox/2 The data folder is never visible, but for the session's folder where that is in it.
 *  agent-sandbox/3 A command that the daemon runs for an agent has the sandbox of the agent, in processes of its own.
 */
import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { dataFiles } from '../../protocol/folder.ts';
import {
  type Environment,
  type Limits,
  type Mount,
  type Network,
  proxyPort,
  type SandboxPlan,
} from '../../supervise/index.ts';
import type { ConversationFile } from '../conversation-file.ts';
import { pathWithin } from '../shared/paths.ts';
import { copyFiles, holderOf, makeFolders, mountsOfFiles, ownFolders, withParents } from './home.ts';
import { absentVariables, commonFiles, commonFolders, type HomeFile } from './needs.ts';
import { programMounts, systemMounts } from './programs.ts';

/** Folders and files of the user's home that a program works with. */
export interface HomeNeeds {
  readonly files: readonly HomeFile[];
  /** Variables that name folders in which it keeps its files, beside the common ones. */
  readonly folders: readonly string[];
}

interface AgentSandboxOptions extends HomeNeeds {
  /** Absolute. */
  readonly bubblewrap: string;
  readonly dataFolder: string;
  readonly network: Network;
  /** Absolute. */
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  readonly limits: Limits;
}

/** What is to run, with its whole environment. */
interface Inmate {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Environment;
}

interface Confined {
  readonly plan: SandboxPlan;
  readonly env: Environment;
}

/** Of one agent, from its start to its end. */
export interface SessionSandbox {
  /** Called while nothing of the session runs: its home is made ready. Throws what the system refuses. */
  readonly agent: (inmate: Inmate) => Confined;
  /** A command that runs beside the agent: it sees what the agent sees. */
  readonly command: (inmate: Inmate) => Confined;
}

const proxy = `http://127.0.0.1:${proxyPort}`;
const proxyNames = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [name, name.toUpperCase()]);

/** Programs of all kinds find the proxy by these. */
const proxied: Environment = {
  ...Object.fromEntries(proxyNames.map((name) => [name, proxy])),
  no_proxy: '',
  NO_PROXY: '',
  NODE_USE_ENV_PROXY: '1',
};

export class AgentSandbox {
  readonly #options: AgentSandboxOptions;

  constructor(options: AgentSandboxOptions) {
    const files = [...commonFiles, ...options.files];
    this.#options = { ...options, files, folders: [...commonFolders, ...options.folders] };
  }

  open({ session, folder }: { readonly session: string; readonly folder: string | null }): SessionSandbox {
    let opened: SandboxPlan | null = null;
    const agent = (inmate: Inmate): Confined => {
      const env = this.#present(inmate.env);
      opened = this.#planFor(session, folder, { ...inmate, env });
      return { plan: opened, env };
    };
    return {
      agent,
      command: (inmate) => (opened === null ? agent(inmate) : { plan: opened, env: this.#present(inmate.env) }),
    };
  }

  /** Where a file of the home that an agent of the session sees is on this machine; null: it sees none there. `env`: that of the agent. */
  own(session: string, file: ConversationFile, env: Environment): ConversationFile | null {
    const { dataFolder, folders: variables } = this.#options;
    const folders = ownFolders(join(dataFolder, dataFiles.homes, homeName(session)), env, variables);
    const path = join(file.root, ...file.at);
    const holder = holderOf(folders, path);
    return holder === null ? null : { ...file, root: holder.from, at: relative(holder.at, path).split(sep) };
  }

  #present(env: Environment): Environment {
    const entries = Object.entries(env).filter(([name]) => !absentVariables.includes(name));
    return { ...Object.fromEntries(entries), ...(typeof this.#options.network === 'string' ? {} : proxied) };
  }

  #planFor(session: string, folder: string | null, { command, args, env }: Inmate): SandboxPlan {
    const { bubblewrap, dataFolder, network, limits, readable, writable, files, folders: variables } = this.#options;
    const folders = ownFolders(join(dataFolder, dataFiles.homes, homeName(session)), env, variables);
    makeFolders(folders);
    copyFiles(files, folders, env);
    const hidden = [dataFolder, ...folders.map(({ at }) => at), ...(folder === null ? [] : [folder])];
    const shown = [
      ...programMounts(command, args, env['PATH'] ?? '', hidden),
      ...mountsOfFiles(files, folders, env),
      ...readable.flatMap((path) => mountGiven('read', path)),
      ...writable.flatMap((path) => mountGiven('write', path)),
      ...(folder === null ? [] : mountGiven('write', folder)),
    ];
    const mounts = [...systemMounts(), ...withParents(shown, folders)];
    return { bubblewrap, network, limits, mounts: withoutData(mounts, dataFolder, folder) };
  }
}

const mountGiven = (kind: 'read' | 'write', path: string): readonly Mount[] =>
  existsSync(path) ? [{ kind, from: realpathSync(path), at: path }] : [];

/** Unique for each key, and no path. */
const homeName = (session: string): string => createHash('sha256').update(session).digest('hex').slice(0, 32);

/** Covers the data folder where a folder is shown that it is in; the session's folder is mounted on top. */
function withoutData(mounts: readonly Mount[], dataFolder: string, folder: string | null): readonly Mount[] {
  const real = existsSync(dataFolder) ? realpathSync(dataFolder) : dataFolder;
  const covers = mounts.flatMap((mount): readonly Mount[] => {
    if (mount.kind !== 'read' && mount.kind !== 'write') {
      return [];
    }
    const inside = pathWithin(mount.from, real);
    return inside === null ? [] : [{ kind: 'empty', at: join(mount.at, inside) }];
  });
  const isInside = folder !== null && pathWithin(dataFolder, folder) !== null;
  const again = covers.length > 0 && isInside ? mountGiven('write', folder) : [];
  return [...mounts, ...covers, ...again];
}

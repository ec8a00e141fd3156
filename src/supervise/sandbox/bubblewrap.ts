/**
 * A program within bubblewrap (bwrap(1), https://github.com/containers/bubblewrap). docs/adr/0011 says why it is this one.
 *
 * Three processes: the one that is started, which leads the process group, waits outside and has the program's exit code (128 and its
 * number for a signal); the first of the new pid namespace, which reaps; and the program. The first two hold their standard
 * streams open for as long as they live, so the program's own come as descriptors 3 and 4, which bubblewrap closes in both:
 * that a program closes its output is seen outside, as without a sandbox.
 *
 *  sandbox/1 With the first process all others end, whatever they do: the kernel ends a pid namespace with its first process, and
 *            that with its parent, and that with us.
 *  sandbox/2 No controlling terminal is inherited: the child has a session of its own.
 */
import { spawnSync } from 'node:child_process';
import { makeServer } from './host-proxy.ts';
import type { Mount, Program, SandboxPlan } from './plan.ts';

/** Descriptors of a sandboxed child that are its program's standard input and output. */
export const programInput = 3;
export const programOutput = 4;

/** Channel of Node by which a server comes out of a sandbox with a list of hosts. */
export const serverChannel = 5;

const shell = '/bin/sh';
const withoutStreams = `${programInput}<&- ${programOutput}>&-`;
/** Shells differ in the letter. Root has no such limit. */
const limited = (processes: number): string => `{ ulimit -u ${processes} || ulimit -p ${processes}; } 2>/dev/null; `;
const takeStreams = `exec "$@" <&${programInput} >&${programOutput} ${withoutStreams} ${serverChannel}>&-`;
/** Its first two arguments are Node and what Node is to run before. */
const serverFirst = [
  `NODE_OPTIONS= "$1" -e "$2" ${withoutStreams} || exit 126`,
  'shift 2',
  'unset NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE',
  takeStreams,
].join('; ');

/**
 * What every sandbox has: devices and processes of its own, no rights, and an end with ours. Root needs no rights to write the
 * settings of the kernel below /proc (`core_pattern` names a program that the kernel starts outside), and bubblewrap 0.8 leaves
 * them writable for root.
 */
const fixed: readonly string[] = [
  '--die-with-parent',
  '--unshare-pid',
  '--unshare-ipc',
  '--unshare-cgroup-try',
  '--cap-drop',
  'ALL',
  '--dev',
  '/dev',
  '--proc',
  '/proc',
  ...['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].flatMap((name) => [
    '--ro-bind-try',
    `/proc/${name}`,
    `/proc/${name}`,
  ]),
];

/** The process itself enters the groups before it becomes another program. */
export function inGroups({ command, args, cwd }: Program, files: readonly string[]): Program {
  if (files.length === 0) {
    return { command, args, cwd };
  }
  const enter = files.map((_, index) => `echo $$ >"$${index + 1}" || exit 125`).join('; ');
  return {
    command: shell,
    args: ['-c', `${enter}; shift ${files.length}; exec "$@"`, 'sh', ...files, command, ...args],
    cwd,
  };
}

/** What to start in place of the program. Its environment is that of the program. */
export function inBubblewrap(plan: SandboxPlan, { command, args, cwd }: Program): Program {
  const processes = plan.limits?.processes ?? null;
  const first = processes === null ? '' : limited(processes);
  const isListed = typeof plan.network !== 'string';
  const node: readonly Mount[] = isListed ? [{ kind: 'read', from: process.execPath, at: process.execPath }] : [];
  return {
    command: plan.bubblewrap,
    args: [
      ...fixed,
      ...(plan.network === 'all' ? [] : ['--unshare-net']),
      ...[...plan.mounts, ...node].toSorted((a, b) => depthOf(a.at) - depthOf(b.at)).flatMap(mountArgs),
      '--remount-ro',
      '/',
      ...(cwd === undefined ? [] : ['--chdir', cwd]),
      '--',
      shell,
      '-c',
      ...(isListed ? [`${first}${serverFirst}`, 'sh', process.execPath, makeServer] : [`${first}${takeStreams}`, 'sh']),
      command,
      ...args,
    ],
    cwd: '/',
  };
}

/** What is at a folder is mounted before what is in it. The order of equals is the plan's. */
const depthOf = (path: string): number => path.split('/').filter(Boolean).length;

function mountArgs(mount: Mount): readonly string[] {
  switch (mount.kind) {
    case 'read':
      return ['--ro-bind', mount.from, mount.at];
    case 'write':
      return ['--bind', mount.from, mount.at];
    case 'empty':
      return ['--tmpfs', mount.at];
    case 'blank':
      return ['--ro-bind', '/dev/null', mount.at];
    case 'link':
      return ['--symlink', mount.to, mount.at];
  }
}

const probeCode = 42;
const probeDeadlineMs = 5_000;

/**
 * Whether programs run in a sandbox of this plan here: one is started, as agents are, for its presence proves nothing (namespaces
 * may be forbidden, /proc may not be mountable). Null: they do; else why not. Takes some 10 ms, in which this thread waits.
 */
export function probeBubblewrap(plan: SandboxPlan): string | null {
  const network = plan.network === 'all' ? 'all' : 'none';
  const { command, args } = inBubblewrap({ ...plan, network }, { command: shell, args: ['-c', `exit ${probeCode}`] });
  const { status, signal, error, stderr } = spawnSync(command, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    env: {},
    cwd: '/',
    encoding: 'utf8',
    timeout: probeDeadlineMs,
    killSignal: 'SIGKILL',
  });
  if (status === probeCode) {
    return null;
  }
  const said = stderr.trim().split('\n').at(-1) ?? '';
  return said !== '' ? said : (error?.message ?? `it ended with ${signal ?? `exit code ${String(status)}`}`);
}

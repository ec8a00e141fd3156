/** Where groups of an agent are made, and what is written there, for both versions. What the kernel makes of it is in test/hostile. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeGroups, placesOf, removeLeftGroups } from '../../src/supervise/sandbox/control-groups.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'signalbox-groups-'));
  mkdirSync(join(root, 'proc', 'self'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function machine(mounts: readonly string[], own: string): string {
  writeFileSync(join(root, 'proc', 'mounts'), `${mounts.join('\n')}\n`);
  writeFileSync(join(root, 'proc', 'self', 'cgroup'), own);
  return join(root, 'proc');
}

const limits = { processes: 100, memoryBytes: 2 ** 28 };

test('version 1 has a group for each controller, below the own one', () => {
  const [pids, memory] = [join(root, 'pids', 'mine'), join(root, 'memory')];
  mkdirSync(pids, { recursive: true });
  mkdirSync(memory);
  const mounts = [`cgroup ${root}/pids cgroup rw,pids 0 0`, `cgroup ${root}/memory cgroup rw,relatime,memory 0 0`];
  const places = placesOf(machine(mounts, '8:pids:/mine\n4:memory:/\n0::/\n'));
  expect(places.map(({ folder, version }) => [folder, version])).toEqual([
    [pids, 1],
    [`${memory}/`, 1],
  ]);
  const { files } = makeGroups('x', limits, places);
  expect(files).toEqual([join(pids, 'signalbox-x', 'cgroup.procs'), join(memory, 'signalbox-x', 'cgroup.procs')]);
  expect(readFileSync(join(pids, 'signalbox-x', 'pids.max'), 'utf8')).toBe('100');
  expect(readFileSync(join(memory, 'signalbox-x', 'memory.limit_in_bytes'), 'utf8')).toBe(String(2 ** 28));
  expect(makeGroups('y', { processes: null, memoryBytes: null }, places).files).toEqual([]);
});

test('version 2 has one group, beside the own one where that has processes', () => {
  const service = join(root, 'cgroup', 'service');
  mkdirSync(join(service, 'daemon'), { recursive: true });
  writeFileSync(join(service, 'cgroup.subtree_control'), 'cpu memory pids\n');
  const proc = machine([`cgroup2 ${root}/cgroup cgroup2 rw 0 0`], '0::/service/daemon\n');
  const places = placesOf(proc);
  expect(places).toEqual([{ controllers: ['pids', 'memory'], folder: service, version: 2 }]);
  const { files } = makeGroups('x', limits, places);
  expect(files).toEqual([join(service, 'signalbox-x', 'cgroup.procs')]);
  expect(readFileSync(join(service, 'signalbox-x', 'memory.max'), 'utf8')).toBe(String(2 ** 28));
  writeFileSync(join(service, 'cgroup.subtree_control'), 'cpu\n');
  expect(placesOf(proc)).toEqual([]);
});

test('a machine without groups, or without rights, has none', () => {
  expect(placesOf(machine(['proc /proc proc rw 0 0'], '0::/\n'))).toEqual([]);
  const places = [{ controllers: ['pids' as const], folder: join(root, 'missing'), version: 2 as const }];
  expect(makeGroups('x', limits, places).files).toEqual([]);
});

test('a group that a dead daemon left is removed, one with a process in it and one of another program are not', () => {
  const folder = join(root, 'pids');
  const [left, used, other] = ['signalbox-left', 'signalbox-used', 'other'].map((name) => join(folder, name));
  for (const group of [left, used, other]) {
    mkdirSync(group ?? '', { recursive: true });
  }
  // A folder that has something in it cannot be removed either.
  writeFileSync(join(used ?? '', 'process'), '');
  removeLeftGroups([{ controllers: ['pids'], folder, version: 1 }]);
  expect([left, used, other].map((group) => existsSync(group ?? ''))).toEqual([false, true, true]);
});

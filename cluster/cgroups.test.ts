import { describe, expect, it } from 'vitest';
import { joinBoxCgroups, mountBoxCgroups, parseHierarchies, settleInLeaf } from './cgroups.ts';

const v1 = `tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,nodev,noexec,relatime,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,xattr,release_agent=/lib/systemd/agent,name=systemd 0 0
`;
const hybrid = `${v1}cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n`;
const v2 = 'cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot 0 0\n';

describe('parseHierarchies', () => {
  it('reads v1', () => {
    expect(parseHierarchies(v1)).toEqual([
      { mountPoint: '/sys/fs/cgroup/cpu,cpuacct', version: 1, options: 'cpu,cpuacct' },
      { mountPoint: '/sys/fs/cgroup/cpuset', version: 1, options: 'cpuset' },
      { mountPoint: '/sys/fs/cgroup/systemd', version: 1, options: 'none,name=systemd' },
    ]);
  });

  it('reads a hybrid machine', () => {
    expect(parseHierarchies(hybrid).at(-1)).toEqual({ mountPoint: '/sys/fs/cgroup/unified', version: 2, options: '' });
  });

  it('reads v2', () => {
    expect(parseHierarchies(v2)).toEqual([{ mountPoint: '/sys/fs/cgroup', version: 2, options: '' }]);
  });
});

describe('the shell lines of a box', () => {
  it('join a group in each v1 hierarchy, and give cpuset its processors first', () => {
    const lines = joinBoxCgroups(parseHierarchies(v1), 'abc', 'node');
    expect(lines.filter((line) => line.startsWith('echo $$'))).toEqual([
      'echo $$ > /sys/fs/cgroup/cpu,cpuacct/understudy-abc/node/cgroup.procs',
      'echo $$ > /sys/fs/cgroup/cpuset/understudy-abc/node/cgroup.procs',
      'echo $$ > /sys/fs/cgroup/systemd/understudy-abc/node/cgroup.procs',
    ]);
    const given = lines.findIndex((line) => line.includes('cpuset.cpus'));
    expect(given).toBeLessThan(lines.indexOf('echo $$ > /sys/fs/cgroup/cpuset/understudy-abc/node/cgroup.procs'));
    expect(settleInLeaf(parseHierarchies(v1), 'abc', 'node')).toEqual([]);
  });

  it('on v2 leave the group that becomes the root, so that controllers can be switched on in it', () => {
    const hierarchies = parseHierarchies(v2);
    expect(joinBoxCgroups(hierarchies, 'abc', 'node').at(-1)).toBe(
      'echo $$ > /sys/fs/cgroup/understudy-abc/node/cgroup.procs',
    );
    expect(settleInLeaf(hierarchies, 'abc', 'node')).toEqual([
      'echo $$ > /sys/fs/cgroup/understudy-abc/node/init/cgroup.procs',
    ]);
    expect(mountBoxCgroups(hierarchies)[0]).toBe('mount -t cgroup2 cgroup2 sys/fs/cgroup');
  });

  it('mount what the machine has', () => {
    expect(mountBoxCgroups(parseHierarchies(hybrid))).toEqual([
      'mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup',
      'mkdir sys/fs/cgroup/cpu,cpuacct',
      'mount -t cgroup -o cpu,cpuacct cgroup sys/fs/cgroup/cpu,cpuacct',
      'mkdir sys/fs/cgroup/cpuset',
      'mount -t cgroup -o cpuset cgroup sys/fs/cgroup/cpuset',
      'mkdir sys/fs/cgroup/systemd',
      'mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd',
      'mkdir sys/fs/cgroup/unified',
      'mount -t cgroup2 cgroup2 sys/fs/cgroup/unified',
    ]);
  });
});

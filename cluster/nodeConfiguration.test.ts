import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { componentOf, componentsOf, servicesOf } from './components.ts';
import { mayLowerOomScore, reachableResolvers } from './machine.ts';
import { containerdConfiguration, corefile, kubeletConfiguration, type MachineFacts } from './nodeConfiguration.ts';
import { controlPlanesOf, planCluster } from './plan.ts';

const machine: MachineFacts = {
  pauseImage: 'pause:1',
  mayLowerOomScore: false,
  snapshotter: 'overlayfs',
  resolvers: ['198.51.100.53'],
};
const plan = (controlPlanes: 1 | 3, egress = false) =>
  planCluster({ name: 'dev', controlPlanes, workers: 1, egress, openshift: true }, '/clusters/dev', '10.213.0');
const first = (of: ReturnType<typeof plan>) => {
  const [node] = controlPlanesOf(of);
  if (node === undefined) throw new Error('no control plane');
  return node;
};
const flagsOf = (of: ReturnType<typeof plan>, component: string): readonly string[] =>
  componentsOf(of, first(of)).find(({ name }) => name === component)?.command ?? [];

describe('components', () => {
  it('of a worker hold no part of the control plane', () => {
    const worker = plan(1).nodes.find((node) => node.role === 'worker');
    expect(worker && componentsOf(plan(1), worker).map(({ name }) => name)).toEqual([
      'containerd',
      'kubelet',
      'kube-proxy',
    ]);
  });

  it('let nobody in without a certificate', () => {
    expect(flagsOf(plan(1), 'kube-apiserver-a')).toEqual(
      expect.arrayContaining([
        '--anonymous-auth=false',
        '--authorization-mode=Node,RBAC',
        '--enable-admission-plugins=NodeRestriction',
        '--encryption-provider-config-automatic-reload=true',
      ]),
    );
    expect(flagsOf(plan(1), 'kube-apiserver-a').some((flag) => flag.startsWith('--token-auth-file'))).toBe(false);
  });

  it('elect a leader among three control planes only', () => {
    expect(flagsOf(plan(1), 'kube-scheduler')).toContain('--leader-elect=false');
    expect(flagsOf(plan(3), 'kube-scheduler')).toContain('--leader-elect=true');
  });

  it('of an API server are two services alike, one of which waits', () => {
    const [one, two] = componentsOf(plan(1), first(plan(1))).filter(
      ({ name }) => componentOf(name) === 'kube-apiserver',
    );
    expect([one?.startsDown, two?.startsDown]).toEqual([false, true]);
    const bound = '--bind-address=10.213.0.11';
    expect(two?.command.filter((word) => word !== bound)).toEqual(one?.command);
    expect([one?.command.includes(bound), two?.command.includes(bound)]).toEqual([false, true]);
    expect(one?.command).toContain('--permit-port-sharing=true');
    expect(servicesOf('kube-apiserver')).toEqual([one?.name, two?.name]);
  });

  it('of an API server write below the prefix of etcd that the cluster has', () => {
    expect(flagsOf(plan(1), 'kube-apiserver-a')).toContain('--etcd-prefix=kubernetes.io');
    const plain = planCluster({ ...plan(1).spec, openshift: false }, '/clusters/dev', '10.213.0');
    expect(flagsOf(plain, 'kube-apiserver-b')).toContain('--etcd-prefix=registry');
  });

  it('of an API server know all members of etcd, its own first', () => {
    expect(flagsOf(plan(3), 'kube-apiserver-a')).toContain(
      '--etcd-servers=https://127.0.0.1:2379,https://10.213.0.12:2379,https://10.213.0.13:2379',
    );
  });
});

describe('DNS', () => {
  it('asks nobody outside without egress', () => {
    expect(corefile(plan(1), first(plan(1)), machine)).not.toContain('forward');
    expect(corefile(plan(1, true), first(plan(1, true)), machine)).toContain('forward . 198.51.100.53');
  });

  it('leaves resolvers on the machine itself out', () => {
    expect(reachableResolvers('nameserver 127.0.0.53\nnameserver ::1\nsearch x\nnameserver 192.0.2.1\n')).toEqual([
      '192.0.2.1',
    ]);
  });
});

describe('a machine without CAP_SYS_RESOURCE', () => {
  it('is told by the bounding set', () => {
    expect(mayLowerOomScore('CapBnd:\t000001fffeffffff\n')).toBe(false);
    expect(mayLowerOomScore('CapBnd:\t000001ffffffffff\n')).toBe(true);
  });

  it('gets components that do not lower their score', () => {
    expect(parse(kubeletConfiguration(machine)).oomScoreAdj).toBe(0);
    expect(parse(kubeletConfiguration({ ...machine, mayLowerOomScore: true })).oomScoreAdj).toBeUndefined();
    expect(containerdConfiguration(machine)).toContain('restrict_oom_score_adj = true');
  });
});

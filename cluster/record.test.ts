import { describe, expect, it } from 'vitest';
import { etcdPrefixOf } from './plan.ts';
import { parseRecord } from './record.ts';
import { refuseChange } from './start.ts';

const spec = { name: 'dev', controlPlanes: 1, workers: 0, egress: false, openshift: true } as const;
const network = '10.213.7';

describe('the record of a cluster', () => {
  it('comes back as it was written', () => {
    expect(parseRecord(JSON.stringify({ spec, network }))).toEqual({ spec, network });
  });

  it('from before etcd could look as on OpenShift keeps its objects where they are', () => {
    const { openshift, ...old } = spec;
    expect(openshift).toBe(true);
    const record = parseRecord(JSON.stringify({ spec: old, network }));
    expect(record?.spec.openshift).toBe(false);
    expect(record && etcdPrefixOf(record.spec)).toBe('/registry');
  });

  it.each([
    ['cut short', '{"spec": {'],
    ['null', 'null'],
    ['no network', JSON.stringify({ spec })],
    ['no truth', JSON.stringify({ spec: { ...spec, openshift: 'yes' }, network })],
  ])('is refused: %s', (_what, text) => {
    expect(parseRecord(text)).toBeUndefined();
  });
});

describe('a change that would lose data', () => {
  it('of what etcd looks like is refused both ways, with a way out', () => {
    const plain = { ...spec, openshift: false };
    expect(refuseChange(plain, spec)?.message).toMatch(
      /could not change cluster dev to openshift: true: .*below \/registry in etcd.*\/kubernetes\.io\n.*next: set openshift: false, or run 'understudy down dev'/,
    );
    expect(refuseChange(spec, plain)?.message).toContain('set openshift: true');
  });

  it('of the number of control planes is refused', () => {
    expect(refuseChange(spec, { ...spec, controlPlanes: 3 })?.message).toContain('from 1 to 3 control-plane nodes');
  });

  it('is none where only workers or egress change', () => {
    expect(refuseChange(spec, { ...spec, workers: 3, egress: true })).toBeUndefined();
  });
});

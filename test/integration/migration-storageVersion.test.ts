import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../../common/waitFor.ts';
import { type Migrator, openMigrator } from '../../operator/migration/index.ts';
import { type EncryptedApiServer, startEncryptedApiServer } from './encryptedApiServer.ts';
import { createSecrets, ended, namespacePath } from './migrationSubject.ts';

const name = 'encryption-migration-core-secrets';
const writeKeyAnnotation = 'encryption.apiserver.operator.openshift.io/write-key';
const inProcessLease = `/apis/coordination.k8s.io/v1/namespaces/openshift-kube-apiserver-operator/leases/${name}`;

let server: EncryptedApiServer | undefined;
let migrator: Migrator | undefined;

afterEach(async () => {
  await migrator?.close();
  await server?.stop();
});

test("Kubernetes' own migrator does the work where it is switched on", async () => {
  const count = 300;
  const gate = '--feature-gates=StorageVersionMigrator=true';
  server = await startEncryptedApiServer({
    flags: [gate, '--runtime-config=storagemigration.k8s.io/v1beta1=true'],
    controllers: ['garbage-collector-controller', 'storage-version-migrator-controller'],
    controllerFlags: [gate],
  });
  const { kube } = server;
  await createSecrets(server, count);
  await server.writeWith(2);
  const path = `/apis/storagemigration.k8s.io/v1beta1/storageversionmigrations/${name}`;
  migrator = openMigrator(server.operator, () => {});

  expect(await migrator.ensure('secrets', '2')).toEqual({ resource: 'secrets', writeKey: '2', outcome: 'running' });
  expect(await kube.get(path)).toMatchObject({
    metadata: { annotations: { [writeKeyAnnotation]: '2' } },
    spec: { resource: { resource: 'secrets' } },
  });
  // It waits until its cache of secrets is as new as the cluster, which it learns by the next write, or within minutes.
  await kube.see(path, ({ status }) => JSON.stringify(status ?? {}).includes('resourceVersion'));
  await kube.create(`${namespacePath}/secrets`, { metadata: { name: 'news' } });
  const succeeded = await ended(migrator, '2');
  expect(succeeded).toEqual({
    resource: 'secrets',
    writeKey: '2',
    outcome: 'succeeded',
    finishedAt: expect.stringMatching(/Z$/),
  });
  expect(await server.storedBy('secrets')).toEqual({ '2_secrets': count + 1 });
  expect(await migrator.observe(['secrets', 'configmaps'])).toEqual([succeeded]);
  expect(await kube.get(inProcessLease)).toBeUndefined();

  const { metadata: before } = (await kube.get(path)) ?? {};
  await migrator.ensure('secrets', '3');
  const { metadata: after } = (await kube.get(path)) ?? {};
  expect(after).toMatchObject({ annotations: { [writeKeyAnnotation]: '3' } });
  expect(Object(after).uid).not.toBe(Object(before).uid);
  await migrator.prune('secrets');
  expect(await migrator.observe(['secrets'])).toEqual([]);
  await migrator.prune('secrets');
});

/** The API of OpenShift's migrator as far as clients see it. */
const openShiftMigrations = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'storageversionmigrations.migration.k8s.io',
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes/enhancements/pull/747' },
  },
  spec: {
    group: 'migration.k8s.io',
    scope: 'Cluster',
    names: { kind: 'StorageVersionMigration', plural: 'storageversionmigrations', singular: 'storageversionmigration' },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

test("OpenShift's migrator is seen when its API appears, and told of each write key once", async () => {
  server = await startEncryptedApiServer();
  const { kube } = server;
  const opened = openMigrator(server.operator, () => {});
  migrator = opened;
  expect(await ended(opened, '1')).toMatchObject({ outcome: 'succeeded' });
  await kube.create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', openShiftMigrations);
  await kube.see('/apis/migration.k8s.io/v1alpha1');

  const path = `/apis/migration.k8s.io/v1alpha1/storageversionmigrations/${name}`;
  /** What OpenShift's migrator does in the end. */
  const say = async (type: string, message: string): Promise<void> => {
    const lastUpdateTime = '2026-11-21T09:00:00Z';
    await kube.patch(`${path}/status`, {
      status: {
        conditions: [
          { type: 'Running', status: 'False', lastUpdateTime },
          { type, status: 'True', lastUpdateTime, message },
        ],
      },
    });
  };

  // What this process did stays known until it is forgotten; the next migration is the cluster's.
  expect(await opened.ensure('secrets', '1')).toMatchObject({ outcome: 'succeeded' });
  await opened.prune('secrets');
  await waitFor(
    async () => {
      const { outcome } = await opened.ensure('secrets', '2');
      if ((await kube.get(path)) !== undefined) return true;
      // In this process once more: the new API was not looked for yet.
      if (outcome !== 'running') await opened.prune('secrets');
      return undefined;
    },
    { what: 'the new API used', timeoutMs: 30_000, next: 'see discovery' },
  );
  expect(await kube.get(path)).toMatchObject({
    metadata: { annotations: { [writeKeyAnnotation]: '2' } },
    spec: { resource: { version: 'v1', resource: 'secrets' } },
  });
  expect(await opened.ensure('secrets', '2')).toEqual({ resource: 'secrets', writeKey: '2', outcome: 'running' });

  await say('Failed', 'etcd is full');
  const failed = {
    resource: 'secrets',
    writeKey: '2',
    outcome: 'failed',
    finishedAt: '2026-11-21T09:00:00Z',
    message: 'etcd is full',
  };
  expect(await opened.ensure('secrets', '2')).toEqual(failed);
  expect(await opened.observe(['secrets'])).toEqual([failed]);

  await opened.ensure('secrets', '3');
  expect(await opened.observe(['secrets'])).toEqual([{ resource: 'secrets', writeKey: '3', outcome: 'running' }]);
  await say('Succeeded', '');
  expect(await opened.ensure('secrets', '3')).toMatchObject({ outcome: 'succeeded' });
  await opened.prune('secrets');
  expect(await kube.get(path)).toBeUndefined();
});

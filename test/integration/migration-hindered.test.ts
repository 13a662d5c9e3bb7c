import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../common/waitFor.ts';
import { type ApiAnswer, type ApiRequest, apiClient } from '../../operator/migration/apiClient.ts';
import { credentialsOf } from '../../operator/migration/credentials.ts';
import { openMigrator } from '../../operator/migration/index.ts';
import { listPages } from '../../operator/migration/names.ts';
import { type EncryptedApiServer, startEncryptedApiServer } from './encryptedApiServer.ts';
import { createSecrets, ended, namespacePath } from './migrationSubject.ts';

const count = 1_600;
let server: EncryptedApiServer;

/** A policy works only some time after it was made or deleted. */
const untilSecretIs = (wanted: 'refused' | 'allowed'): Promise<true> =>
  waitFor(
    async () => {
      const dryRun = `${namespacePath}/secrets/secret-77?dryRun=All`;
      const got = await server.kube.patch(dryRun, {}).then(
        () => 'allowed',
        () => 'refused',
      );
      return got === wanted ? true : undefined;
    },
    { what: `the policy ${wanted}`, timeoutMs: 30_000, intervalMs: 50, next: 'read the log of kube-apiserver' },
  );

beforeAll(async () => {
  server = await startEncryptedApiServer();
  await createSecrets(server, count);
});

afterAll(() => server.stop());

test('it goes at the pace that the API server grants to the account', async () => {
  const flowControl = '/apis/flowcontrol.apiserver.k8s.io/v1';
  await server.writeWith(2);
  await server.kube.create(`${flowControl}/prioritylevelconfigurations`, {
    metadata: { name: 'slow' },
    spec: {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: 4,
        lendablePercent: 0,
        borrowingLimitPercent: 0,
        limitResponse: { type: 'Reject' },
      },
    },
  });
  await server.kube.create(`${flowControl}/flowschemas`, {
    metadata: { name: 'slow' },
    spec: {
      priorityLevelConfiguration: { name: 'slow' },
      matchingPrecedence: 2,
      rules: [
        {
          subjects: [{ kind: 'Group', group: { name: 'system:serviceaccounts' } }],
          resourceRules: [{ verbs: ['patch'], apiGroups: [''], resources: ['*'], namespaces: ['*'] }],
        },
      ],
    },
  });
  await server.kube.see(
    `${flowControl}/flowschemas/slow`,
    ({ status }) => JSON.stringify(status ?? '').includes('"Dangling"') && JSON.stringify(status).includes('"False"'),
  );
  const migrator = openMigrator(server.operator, () => {});
  try {
    expect(await ended(migrator, '2')).toMatchObject({ outcome: 'succeeded', done: count });
    expect(await server.storedBy('secrets')).toEqual({ '2_secrets': count });
    const { message } = (await server.kube.get('/metrics')) ?? {};
    expect(message).toMatch(/apiserver_flowcontrol_rejected_requests_total\{[^}]*priority_level="slow"[^}]*\} [1-9]/);
  } finally {
    await migrator.close();
    await server.kube.delete(`${flowControl}/flowschemas/slow`);
    await server.kube.delete(`${flowControl}/prioritylevelconfigurations/slow`);
  }
});

test('one object that cannot be written fails the migration, and the others are written', async () => {
  await server.writeWith(1);
  const admission = '/apis/admissionregistration.k8s.io/v1';
  await server.kube.create(`${admission}/validatingadmissionpolicies`, {
    metadata: { name: 'untouchable' },
    spec: {
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['secrets'] }],
      },
      validations: [{ expression: "object.metadata.name != 'secret-77'", message: 'not this one' }],
    },
  });
  await server.kube.create(`${admission}/validatingadmissionpolicybindings`, {
    metadata: { name: 'untouchable' },
    spec: { policyName: 'untouchable', validationActions: ['Deny'] },
  });
  const migrator = openMigrator(server.operator, () => {});
  try {
    await untilSecretIs('refused');
    const failed = await ended(migrator, '1');
    expect(failed).toMatchObject({ outcome: 'failed', done: count - 1, total: count });
    expect(failed.message).toMatch(/^1 objects could not be written: default\/secret-77: .*not this one/);
    expect(await server.storedBy('secrets')).toEqual({ '1_secrets': count - 1, '2_secrets': 1 });
    expect(await migrator.ensure('secrets', '1')).toEqual(failed);
    await server.kube.delete(`${admission}/validatingadmissionpolicybindings/untouchable`);
    await untilSecretIs('allowed');
    await migrator.prune('secrets');
    expect(await ended(migrator, '1')).toMatchObject({ outcome: 'succeeded' });
    expect(await server.storedBy('secrets')).toEqual({ '1_secrets': count });
  } finally {
    await migrator.close();
  }
});

test('a list that takes longer than etcd keeps its history goes on from the same object', async () => {
  const client = apiClient(credentialsOf(server.operator), 1);
  try {
    const statuses: number[] = [];
    const watched = {
      ...client,
      send: async (request: ApiRequest): Promise<ApiAnswer> => {
        const answer = await client.send(request);
        statuses.push(answer.status);
        return answer;
      },
    };
    const names: string[] = [];
    for await (const page of listPages(watched, '/api/v1/secrets', new AbortController().signal)) {
      if (names.length === 0) {
        await server.kube.patch(`${namespacePath}/secrets/secret-1`, { metadata: { labels: { a: 'b' } } });
        await server.compact();
        // Its cache can answer for some history.
        await server.restart();
      }
      names.push(...page.names.map(({ name }) => name));
      expect(names.length + page.remaining).toBe(count);
    }
    expect(statuses).toContain(410);
    expect(names).toEqual(Array.from({ length: count }, (_, i) => `secret-${i}`).sort());
  } finally {
    client.close();
  }
});

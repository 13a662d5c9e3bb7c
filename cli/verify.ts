import { inspectCluster } from '../cluster/inspect.ts';
import { etcdPrefixOf } from '../cluster/plan.ts';
import {
  type Expectation,
  isProven,
  type ResourceReport,
  type VerifySubject,
  verifyEncryption,
  withOwnSubject,
} from '../cluster/verify.ts';
import { Failure } from '../common/failure.ts';
import { isCloud } from '../infra/cloudSettings.ts';
import { readKindRecord } from '../kind/cluster/record.ts';
import { requireAccess } from './access.ts';
import { withCloudSubject } from './cloud/verify.ts';
import { withClusterObjects } from './clusterObjects.ts';
import { expectationsOf } from './encryption/expectation.ts';
import type { EncryptionObjects } from './encryption/objects.ts';
import { readAllEncryption } from './encryption/read.ts';
import { type OutputOptions, printResult } from './output.ts';
import type { Stack } from './stack.ts';

const counts = (of: Readonly<Record<string, number>>): string =>
  Object.entries(of)
    .map(([name, count]) => `${name}: ${count}`)
    .join(', ') || 'none';

const expectedText = (expected: Expectation | undefined): string => {
  if (expected === undefined || expected === 'key to come') return 'a key that is not written yet';
  if (expected === 'plaintext') return 'plain text';
  return expected.kekID === undefined ? expected.prefix : `${expected.prefix} under ${expected.kekID}`;
};

const resourceText = (name: string, report: ResourceReport, expected: Expectation | undefined): string =>
  [
    `${name}: ${report.checked - report.wrongCount} of ${report.checked} as they should be (${expectedText(expected)})`,
    `  plain text ${report.plaintext}`,
    `  by key     ${counts(report.byKey)}`,
    `  by KEK     ${counts(report.byKekID)}`,
    ...report.wrong.map((key) => `  NOT so: ${key}`),
    ...(report.wrongCount > report.wrong.length ? [`  and ${report.wrongCount - report.wrong.length} more`] : []),
  ].join('\n');

const verdict = (proven: boolean, objects: EncryptionObjects): string => {
  const isIdentity = (objects.apiServer?.spec.encryption.type || 'identity') === 'identity';
  if (!proven) return isIdentity ? 'Not everything is plain text.' : 'Encryption is NOT in force.';
  return isIdentity ? 'Encryption is off: everything is plain text, as asked for.' : 'Encryption is proven.';
};

/** What the cluster was asked to be when it was made; undefined where there is none. */
const specOf = async ({ settings, clusterDir }: Stack): Promise<Parameters<typeof etcdPrefixOf>[0] | undefined> =>
  settings.platform === 'kind'
    ? (await readKindRecord(clusterDir))?.spec
    : (await inspectCluster(clusterDir))?.plan.spec;

/** Lets `work` look at a stack's cluster. @param work is told what keys in its etcd begin with */
const withSubject = async <T>(
  stack: Stack,
  tried: string,
  work: (subject: VerifySubject, etcdPrefix: string) => Promise<T>,
): Promise<T> => {
  if (isCloud(stack.settings.platform)) return withCloudSubject(stack, tried, work);
  const access = await requireAccess(stack, tried);
  const spec = await specOf(stack);
  if (spec === undefined) {
    const next = `run 'understudy down ${stack.name}', then 'understudy up ${stack.name}'`;
    throw new Failure({ tried, got: `nothing in ${stack.clusterDir} says what its etcd is like`, next });
  }
  return withOwnSubject(access, (subject) => work(subject, etcdPrefixOf(spec)));
};

/** Reads raw etcd; exit code 1 if anything is not stored as the cluster's objects ask for. */
export const verify = async (stack: Stack, options: OutputOptions): Promise<void> => {
  const tried = `verify the encryption of stack ${stack.name}`;
  const objects = await withClusterObjects(stack, tried, (cluster) => readAllEncryption(cluster, stack.name));
  if (objects.apiServer === undefined) {
    throw new Failure({
      tried,
      got: 'nothing in the cluster says how it should be encrypted: there is no apiservers.config.openshift.io/cluster',
      next: `run 'understudy up ${stack.name}', which installs it`,
    });
  }
  const expectations = expectationsOf(objects);
  const report = await withSubject(stack, tried, (subject, prefix) => verifyEncryption(subject, prefix, expectations));
  const proven = isProven(report);
  const resources = Object.entries(report.resources).map(([name, resource]) =>
    resourceText(name, resource, expectations[name]),
  );
  const roundTrip = report.roundTrip
    ? 'a new secret was stored as it should be and read back the same'
    : 'a new secret was NOT stored as it should be, or did not read back the same';
  const text = [...resources, `round trip: ${roundTrip}`, verdict(proven, objects)];
  printResult(options, report, text.join('\n'));
  if (!proven) process.exitCode = 1;
};

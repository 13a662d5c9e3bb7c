import { isProven, type ResourceReport, verifyEncryption } from '../cluster/verify.ts';
import { requireAccess } from './access.ts';
import { type OutputOptions, printResult } from './output.ts';
import type { Stack } from './stack.ts';

const counts = (of: Readonly<Record<string, number>>): string =>
  Object.entries(of)
    .map(([name, count]) => `${name}: ${count}`)
    .join(', ') || 'none';

const resourceText = (name: string, report: ResourceReport): string =>
  [
    `${name}: ${report.encrypted} of ${report.checked} encrypted`,
    `  by key     ${counts(report.byKey)}`,
    `  by KEK     ${counts(report.byKekID)}`,
    ...report.wrong.map((key) => `  NOT under the current key: ${key}`),
  ].join('\n');

/** Reads raw etcd; exit code 1 if anything that should be encrypted is not. */
export const verify = async (stack: Stack, options: OutputOptions): Promise<void> => {
  const report = await verifyEncryption(await requireAccess(stack, `verify the encryption of stack ${stack.name}`));
  const proven = isProven(report);
  const resources = Object.entries(report.resources).map(([name, resource]) => resourceText(name, resource));
  const roundTrip = report.roundTrip
    ? 'a new secret was stored encrypted and read back the same'
    : 'a new secret was NOT stored encrypted, or did not read back the same';
  const text = [
    ...resources,
    `round trip: ${roundTrip}`,
    proven ? 'Encryption is proven.' : 'Encryption is NOT in force.',
  ];
  printResult(options, report, text.join('\n'));
  if (!proven) process.exitCode = 1;
};

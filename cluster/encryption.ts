import { join } from 'node:path';
import { Failure } from '../common/failure.ts';
import { readFileIfThere, writeFileWhole } from '../common/files.ts';
import { waitFor } from '../common/waitFor.ts';
import { readAccess } from './access.ts';
import { apiClient } from './apiClient.ts';
import { rootOf } from './boxRoot.ts';
import { encryptionConfigurationPath, kmsTimeouts, renderEncryptionConfiguration } from './encryptionConfiguration.ts';
import { inspectCluster } from './index.ts';
import { apiPort, controlPlanesOf } from './plan.ts';

/**
 * Brings the API servers, which started before any plugin could run, and the plugins together: asking for the health of
 * the KMS providers makes an API server try its plugin at once instead of at its next turn in up to 10 s.
 * @throws Failure where an API server has no working plugin after 60 s
 */
export const switchEncryptionOn = async (dir: string): Promise<void> => {
  const [state, access] = await Promise.all([inspectCluster(dir), readAccess(dir)]);
  if (state === undefined || access === undefined) {
    throw new Failure({
      tried: `switch encryption on in ${dir}`,
      got: 'there is no cluster',
      next: "run 'understudy up'",
    });
  }
  await Promise.all(
    controlPlanesOf(state.plan).map(async (node) => {
      const api = apiClient(node.address, apiPort, access.authorityCertificate, access.administrator);
      try {
        await waitFor(
          async () => {
            const { status, body } = await api.ask('GET', '/healthz/kms-providers');
            if (status !== 200) throw new Error(body);
            return true;
          },
          {
            what: `a working KMS plugin on ${node.name}`,
            timeoutMs: 60_000,
            next: "see 'understudy logs kms-plugin' and 'understudy logs kube-apiserver'",
          },
        );
      } finally {
        api.close();
      }
      const path = join(rootOf(state.plan, node.name), encryptionConfigurationPath);
      const wanted = renderEncryptionConfiguration(kmsTimeouts.running);
      if ((await readFileIfThere(path)) !== wanted) await writeFileWhole(path, wanted);
    }),
  );
};

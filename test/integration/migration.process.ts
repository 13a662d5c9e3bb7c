import { KubeConfig } from '@kubernetes/client-node';
import { openMigrator } from '../../operator/migration/index.ts';

/** The operator as far as it migrates: told of two resources, asked until both are done. Prints what it measured. */
const main = async (kubeconfigPath: string, writeKey: string): Promise<void> => {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfigPath);
  const resources = ['secrets', 'configmaps'] as const;
  const begin = performance.now();
  let wake = (): void => {};
  const migrator = openMigrator(config, () => wake());
  for (;;) {
    const changed = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const migrations = await Promise.all(resources.map((resource) => migrator.ensure(resource, writeKey)));
    if (migrations.every(({ outcome }) => outcome !== 'running')) {
      const seconds = (performance.now() - begin) / 1000;
      // Of all its life, as the kernel counted it.
      const rssBytes = process.resourceUsage().maxRSS * 1024;
      process.stdout.write(JSON.stringify({ seconds, rssBytes, migrations }));
      return migrator.close();
    }
    await changed;
  }
};

await main(process.argv[2] ?? '', process.argv[3] ?? '');

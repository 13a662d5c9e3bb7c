import { delimiter, resolve } from 'node:path';
import { UsageFailure } from '../../common/failure.ts';
import type { CloudSettings } from '../cloudSettings.ts';

/**
 * The kubeconfig of a stack on an OpenShift that exists: that of its settings, else the one that KUBECONFIG names. What kubectl would
 * take beside that is no way to say which cluster is meant.
 * @throws UsageFailure where there is none, or KUBECONFIG names several
 */
export const kubeconfigPath = ({ kubeconfig }: Pick<CloudSettings, 'kubeconfig'>): string => {
  if (kubeconfig !== undefined) return kubeconfig;
  const paths = (process.env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  const [path, ...others] = paths;
  if (path !== undefined && others.length === 0) return resolve(path);
  throw new UsageFailure({
    tried: 'find the kubeconfig of the cluster',
    got: path === undefined ? 'KUBECONFIG is not set' : `KUBECONFIG names ${paths.length} files`,
    next: "let KUBECONFIG, or understudy:cloud.kubeconfig, name one file, an administrator's",
  });
};

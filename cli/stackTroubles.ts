import { explainPods } from '../providers/kubernetes/await/examine.ts';
import { itemsOf, newestWarning } from '../providers/kubernetes/await/explanation.ts';
import { kubeClient } from '../providers/kubernetes/client.ts';
import { connectionFrom, loadKubeconfig } from '../providers/kubernetes/kubeconfig.ts';
import { namespaceOf, stringAt } from '../providers/kubernetes/objects.ts';
import { findKubeconfig } from './access.ts';
import type { Stack } from './stack.ts';

const withinMs = 4_000;

/** Namespaces of the stack itself: what users run is theirs. */
const isOurs = (namespace: string | undefined): boolean =>
  namespace !== undefined && (namespace.startsWith('openshift-') || namespace === 'hollow-nodes');

/** What the pods of a stack itself say about why they are not ready; nothing where they are or nobody can be asked. */
export const stackTroubles = async (stack: Stack): Promise<readonly string[]> => {
  const kubeconfig = await findKubeconfig(stack);
  if (kubeconfig === undefined) return [];
  const client = kubeClient(await connectionFrom(loadKubeconfig(kubeconfig), {}));
  const signal = AbortSignal.timeout(withinMs);
  const list = async (path: string, query: Readonly<Record<string, string>>): Promise<ReturnType<typeof itemsOf>> =>
    itemsOf((await client.send({ method: 'GET', path, query, signal })).body).filter((item) =>
      isOurs(namespaceOf(item) ?? stringAt(item, 'involvedObject', 'namespace')),
    );
  try {
    const [pods, refused] = await Promise.all([
      list('/api/v1/pods', { limit: '500' }),
      list('/api/v1/events', { fieldSelector: 'type=Warning,reason=FailedCreate', limit: '100' }),
    ]);
    const [lines, warning] = [await explainPods(client, { kind: 'Pod' }, pods, withinMs), newestWarning(refused)];
    // Once its pods are there, what refused them before is over.
    return lines.length === 0 && warning !== undefined ? [`event ${warning}`] : lines;
  } catch {
    return [];
  } finally {
    client.close();
  }
};

import { admissionWebhookName, spoofedLabel } from '../../common/admissionWebhook.ts';
import { messageOf } from '../../common/failure.ts';
import { spoofedAnnotation } from '../../common/hollowNodes.ts';
import { isApiError, type KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';
import { createWake } from '../../common/wake.ts';
import { type JsonPatchOperation, jsonPointer } from '../jsonPatch.ts';
import { type Namespace, type Namespaces, namespacePath } from './follow.ts';

const wantedLabel = ({ metadata }: Namespace): string | undefined =>
  metadata.annotations?.[spoofedAnnotation] === 'true' ? 'true' : undefined;

const hasWantedLabel = (namespace: Namespace): boolean =>
  namespace.metadata.labels?.[spoofedLabel] === wantedLabel(namespace);

/** The changes that bring the label of a namespace in step with its annotation. */
export const labelPatch = (namespace: Namespace): readonly JsonPatchOperation[] => {
  if (hasWantedLabel(namespace)) return [];
  const value = wantedLabel(namespace);
  const path = jsonPointer('metadata', 'labels', spoofedLabel);
  if (value === undefined) return [{ op: 'remove', path }];
  return namespace.metadata.labels === undefined
    ? [{ op: 'add', path: '/metadata/labels', value: { [spoofedLabel]: value } }]
    : [{ op: 'add', path, value }];
};

const pauseMs = 1_000;
/** The longest that a timer waits. */
const longestMs = 2 ** 31 - 1;

/** Brings the labels in step of namespaces that were annotated while no webhook was there, until `signal`. */
export const keepLabels = async (
  namespaces: Namespaces,
  client: KubeClient,
  log: Log,
  signal: AbortSignal,
): Promise<void> => {
  const wake = createWake();
  namespaces.onChange(wake.ring);
  let failing = false;
  while (!signal.aborted) {
    wake.hush();
    let waitMs = longestMs;
    try {
      for (const namespace of namespaces.all()) {
        if (hasWantedLabel(namespace) || signal.aborted) continue;
        const { name, resourceVersion } = namespace.metadata;
        const labels = { [spoofedLabel]: wantedLabel(namespace) ?? null };
        await client.send({
          method: 'PATCH',
          path: namespacePath(name),
          query: { fieldManager: admissionWebhookName },
          body: { metadata: { resourceVersion, labels } },
          contentType: 'application/merge-patch+json',
        });
      }
      failing = false;
    } catch (error) {
      // The watch tells of what has changed in the meantime.
      const isOutdated = isApiError(error, 409) || isApiError(error, 404);
      if (!failing && !isOutdated) log.warn({ reason: messageOf(error) }, 'could not label a namespace; tries again');
      failing = !isOutdated;
      waitMs = pauseMs;
    }
    await wake.wait(waitMs, signal);
  }
};

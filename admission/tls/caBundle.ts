import { admissionWebhookName } from '../../common/admissionWebhook.ts';
import { messageOf } from '../../common/failure.ts';
import type { KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';
import { type ApiObject, watchList } from '../../common/watchList.ts';
import { type JsonPatchOperation, jsonPointer } from '../jsonPatch.ts';

interface WebhookConfiguration extends ApiObject {
  readonly webhooks?: readonly { readonly name: string; readonly clientConfig: { readonly caBundle?: string } }[];
}

/** Fails the whole patch where the value is another one. */
interface Test {
  readonly op: 'test';
  readonly path: string;
  readonly value: unknown;
}

/** The changes that have every webhook trust `caBundle`, base64; the tests keep them from hitting another one. */
export const bundlePatch = (
  { webhooks = [] }: WebhookConfiguration,
  caBundle: string,
): readonly (JsonPatchOperation | Test)[] =>
  webhooks.flatMap(({ name, clientConfig }, index): readonly (JsonPatchOperation | Test)[] =>
    clientConfig.caBundle === caBundle
      ? []
      : [
          { op: 'test', path: jsonPointer('webhooks', index, 'name'), value: name },
          { op: 'add', path: jsonPointer('webhooks', index, 'clientConfig', 'caBundle'), value: caBundle },
        ],
  );

export interface CaBundleKeeper {
  /** @param bundle PEM */
  use(bundle: string): void;
}

const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
const pauseMs = 1_000;

/** Has our webhook configuration trust what we serve, whenever it does not, until `signal`. */
export const keepCaBundle = (client: KubeClient, log: Log, signal: AbortSignal): CaBundleKeeper => {
  let caBundle: string | undefined;
  let items: readonly WebhookConfiguration[] = [];
  let running = false;
  let again = false;

  const writeAll = async (): Promise<void> => {
    for (const item of items) {
      const body = caBundle === undefined ? [] : bundlePatch(item, caBundle);
      if (body.length === 0) continue;
      await client.send({
        method: 'PATCH',
        path: `${path}/${item.metadata?.name ?? ''}`,
        query: { fieldManager: `${admissionWebhookName}-ca` },
        body,
        contentType: 'application/json-patch+json',
      });
      log.info('the webhook configuration trusts the authority');
    }
  };

  const work = async (): Promise<void> => {
    again = true;
    if (running) return;
    running = true;
    while (again && !signal.aborted) {
      again = false;
      try {
        await writeAll();
      } catch (error) {
        log.warn({ reason: messageOf(error) }, 'could not write the authority into the webhook configuration');
        setTimeout(() => void work(), pauseMs).unref();
      }
    }
    running = false;
  };

  void watchList<WebhookConfiguration>({
    clients: [client],
    path,
    query: { fieldSelector: `metadata.name=${admissionWebhookName}` },
    changed: (list) => {
      items = list;
      void work();
    },
    failed: (reason) => log.warn({ reason }, 'could not follow the webhook configuration'),
    signal,
  });
  return {
    use: (bundle) => {
      caBundle = Buffer.from(bundle).toString('base64');
      void work();
    },
  };
};

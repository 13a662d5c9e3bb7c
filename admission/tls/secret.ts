import { admissionTlsSecret, admissionWebhookName } from '../../common/admissionWebhook.ts';
import { messageOf } from '../../common/failure.ts';
import { hollowNamespace } from '../../common/hollowNodes.ts';
import { isApiError, type KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';
import { createWake } from '../../common/wake.ts';
import { type ApiObject, watchList } from '../../common/watchList.ts';
import {
  lifeOf,
  noMaterial,
  readMaterial,
  renderMaterial,
  renewMaterial,
  type SecretTexts,
  type TlsMaterial,
  type TlsWish,
} from './material.ts';
import { nextChange } from './plan.ts';

export interface TlsSecretOptions extends TlsWish {
  readonly client: KubeClient;
  /** Called first, and whenever anything was renewed, with what the Secret holds. */
  readonly changed: (material: TlsMaterial) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

interface Secret extends ApiObject {
  readonly data?: Readonly<Record<string, string>>;
}

const collection = `/api/v1/namespaces/${hollowNamespace}/secrets`;
const path = `${collection}/${admissionTlsSecret}`;

const pauseMs = 1_000;
/** Looks at least so often: timers end at 24 days, and clocks are set. */
const longestMs = 3_600_000;

const textsOf = ({ data = {} }: Secret): SecretTexts =>
  Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, Buffer.from(value, 'base64').toString('utf8')]),
  );

const read = async (client: KubeClient): Promise<Secret | undefined> => {
  try {
    return await client.send<Secret>({ method: 'GET', path });
  } catch (error) {
    if (isApiError(error, 404)) return undefined;
    throw error;
  }
};

/** With the version that was read, so that one of two processes reads what the other one has written. */
const write = (client: KubeClient, before: Secret | undefined, material: TlsMaterial): Promise<unknown> => {
  const resourceVersion = before?.metadata?.resourceVersion;
  return client.apply(path, admissionWebhookName, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace: hollowNamespace,
      name: admissionTlsSecret,
      labels: { app: admissionWebhookName },
      ...(resourceVersion !== undefined && { resourceVersion }),
    },
    type: 'Opaque',
    data: Object.fromEntries(
      Object.entries(renderMaterial(material)).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
    ),
  });
};

/** Reads, renews what is due, writes; what is told is what is written. @returns when to look again, milliseconds since 1970 */
const turn = async (options: TlsSecretOptions): Promise<number> => {
  const { client, changed, log } = options;
  const secret = await read(client);
  const present = secret === undefined ? noMaterial : readMaterial(textsOf(secret));
  const material = await renewMaterial(present, options, Date.now());
  if (material !== present) {
    await write(client, secret, material);
    const expired = present.serving !== undefined && lifeOf(present.serving).notAfter <= Date.now();
    log.info({ expired, authorities: material.authorities.length }, 'renewed the certificate');
  }
  changed(material);
  const { authorities, serving } = material;
  return nextChange({ authorities: authorities.map(lifeOf), serving: serving && lifeOf(serving) });
};

/**
 * Keeps authority and certificate in their Secret, made where there are none, renewed in time, until `signal`. Where the API server does
 * not answer, it goes on with what it has and tries again.
 */
export const keepTlsSecret = async (options: TlsSecretOptions): Promise<void> => {
  const { client, log, signal } = options;
  const wake = createWake();
  void watchList<Secret>({
    clients: [client],
    path: collection,
    query: { fieldSelector: `metadata.name=${admissionTlsSecret}` },
    changed: wake.ring,
    signal,
  });
  let failing = false;
  while (!signal.aborted) {
    wake.hush();
    let waitMs = pauseMs;
    try {
      waitMs = Math.max(0, (await turn(options)) - Date.now());
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ reason: messageOf(error) }, 'could not renew the certificate; tries again');
      failing = true;
    }
    await wake.wait(Math.min(waitMs, longestMs), signal);
  }
};

import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeClient } from '../client.ts';
import { type KubeObject, kindOf, mapAt, nameOf, namespaceOf, stringAt } from '../objects.ts';
import { crashedIn, explain, itemsOf, maxLogLines, maxPods, type PodFindings, unreadyPods } from './explanation.ts';
import { judgePods, type Since } from './troubles.ts';

const answerWithinMs = 5_000;

const inNamespace = (object: KubeObject, plural: string): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespaceOf(object) ?? 'default')}/${plural}`;

/** The pods of a workload; of a pod itself that one; none where it does not say which are its own. */
const podsOf = async (client: KubeClient, live: KubeObject, signal: AbortSignal): Promise<readonly KubeObject[]> => {
  if (kindOf(live) === 'Pod') return [live];
  const labels = Object.entries(mapAt(live, 'spec', 'selector', 'matchLabels'));
  if (labels.length === 0) return [];
  const labelSelector = labels.map(([key, value]) => `${key}=${value}`).join(',');
  return itemsOf(
    (await client.send({ method: 'GET', path: inNamespace(live, 'pods'), query: { labelSelector }, signal })).body,
  );
};

const warningsAbout = async (
  client: KubeClient,
  live: KubeObject,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> => {
  const uid = stringAt(live, 'metadata', 'uid') ?? '';
  const query = { fieldSelector: `involvedObject.uid=${uid},type=Warning`, limit: '100' };
  return itemsOf((await client.send({ method: 'GET', path: inNamespace(live, 'events'), query, signal })).body);
};

/** The end of what a container has said before it crashed; of its present run where nothing is kept of the one before. */
const lastWords = async (
  client: KubeClient,
  pod: KubeObject,
  container: string,
  signal: AbortSignal,
): Promise<string> => {
  const path = `${inNamespace(pod, 'pods')}/${encodeURIComponent(nameOf(pod))}/log`;
  const query = { container, tailLines: String(maxLogLines), limitBytes: '16384' };
  const ask = (previous: string): Promise<string> =>
    client.text({ method: 'GET', path, query: { ...query, previous }, signal });
  return ask('true').then(
    (log) => log || ask('false'),
    () => ask('false').catch(() => ''),
  );
};

const findingsOf = async (client: KubeClient, pod: KubeObject, signal: AbortSignal): Promise<PodFindings> => {
  const [warnings, logs] = await Promise.all([
    warningsAbout(client, pod, signal).catch(() => []),
    Promise.all(
      crashedIn(pod).map(async (name): Promise<[string, string]> => [name, await lastWords(client, pod, name, signal)]),
    ),
  ]);
  return { pod, warnings, logs: new Map(logs) };
};

/** Why pods are not ready, with their events and the last words of what has crashed. Empty where they are, or nobody answers in time. */
export const explainPods = async (
  client: KubeClient,
  live: KubeObject,
  pods: readonly KubeObject[],
  withinMs = answerWithinMs,
): Promise<readonly string[]> => {
  const signal = AbortSignal.timeout(withinMs);
  const unready = unreadyPods(pods);
  const isPod = kindOf(live) === 'Pod';
  try {
    const [warnings, findings] = await Promise.all([
      isPod ? [] : warningsAbout(client, live, signal),
      Promise.all(unready.slice(0, maxPods).map((pod) => findingsOf(client, pod, signal))),
    ]);
    return explain(live, { pods: findings, others: Math.max(0, unready.length - maxPods), warnings });
  } catch {
    // Only an explanation is lost.
    return [];
  }
};

/** Why a workload is not ready, as its pods and events say. */
export const explainWorkload = async (client: KubeClient, live: KubeObject): Promise<readonly string[]> => {
  try {
    return await explainPods(client, live, await podsOf(client, live, AbortSignal.timeout(answerWithinMs)));
  } catch {
    return [];
  }
};

/** Most get ready sooner, and are never asked for their pods. */
const lookAfterMs = 5_000;
const lookEveryMs = 2_000;

/** Kinds whose controllers make pods anew for as long as they exist. */
const restarting: ReadonlySet<string> = new Set(['DaemonSet', 'Deployment', 'StatefulSet']);

/**
 * Looks at the pods of a workload that does not get ready, and tells each new trouble.
 * @param workload as it was seen last
 * @returns why waiting longer is in vain, as soon as it is; never where it may still get ready
 * @throws once `signal` aborts
 */
export const untilInVain = async (
  client: KubeClient,
  workload: () => KubeObject,
  tell: (message: string) => void,
  signal: AbortSignal,
): Promise<string> => {
  let since: Since = new Map();
  const told = new Set<string>();
  const tellOnce = (key: string, message: string): void => {
    if (told.has(key)) return;
    told.add(key);
    tell(message);
  };
  await sleep(lookAfterMs, undefined, { signal });
  for (;;) {
    const live = workload();
    if (restarting.has(kindOf(live))) {
      // An API server that is away for a moment ends nothing.
      const pods = await podsOf(client, live, signal).catch(() => undefined);
      if (pods !== undefined) {
        const judgement = judgePods(pods, since, performance.now());
        since = judgement.since;
        for (const [key, message] of judgement.told) tellOnce(key, message);
        if (judgement.inVain !== undefined) return judgement.inVain;
        if (pods.length === 0) {
          // Each attempt has another name for the pod, in quotes.
          for (const line of await explainWorkload(client, live)) tellOnce(line.replaceAll(/"[^"]*"/g, ''), line);
        }
      }
    }
    await sleep(lookEveryMs, undefined, { signal });
  }
};

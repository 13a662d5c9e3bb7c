import { parse, stringify } from 'yaml';
import { graceSeconds, type Turn, turns } from '../../common/apiServerPods.ts';
import { Failure } from '../../common/failure.ts';

export const otherTurn = (turn: Turn): Turn => (turn === turns[0] ? turns[1] : turns[0]);

/** Tells one start of a pod from the next: without it the kubelet would take up an older pod, and its pauses after crashes. */
export const revisionAnnotation = 'understudy.dev/revision';

interface Probe {
  readonly httpGet?: { readonly port?: number | string };
}

interface Container {
  readonly command?: readonly string[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
}

interface Manifest {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly containers?: readonly Container[] };
}

const failure = (got: string, next: string): Failure =>
  new Failure({ tried: 'make a second manifest of kube-apiserver', got, next });

const flagOf = (command: readonly string[], name: string): string | undefined =>
  command.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);

/** The port that a probe names is given up with the list of ports: two pods of one node may not both claim it. */
const withNumber = (probe: Probe, ports: Container['ports'] = []): Probe => {
  const port = ports.find(({ name }) => name === probe.httpGet?.port)?.containerPort;
  return port === undefined ? probe : { ...probe, httpGet: { ...probe.httpGet, port } };
};

/**
 * The manifest of a pod that is to stand beside the one of `content`, on the same port. Either is made of the other: the first
 * listens at every address, the second at the node's own, so that each can be met by itself while both run.
 * @param revision another one for each start
 * @throws Failure where `content` is no manifest of a kube-apiserver that shares its port
 */
export const renderTurn = (content: string, turn: Turn, revision: string): string => {
  const manifest = parse(content) as Manifest | null;
  const container = manifest?.spec?.containers?.[0];
  const command = container?.command ?? [];
  const address = flagOf(command, 'advertise-address');
  if (container === undefined || address === undefined) {
    throw failure('it has no container with --advertise-address', 'look at /etc/kubernetes/manifests of the node');
  }
  if (flagOf(command, 'permit-port-sharing') !== 'true') {
    throw failure('this one runs without --permit-port-sharing', "run 'understudy down', then 'understudy up'");
  }
  const { ports, livenessProbe, readinessProbe, startupProbe, ...rest } = container;
  const probes = Object.entries({ livenessProbe, readinessProbe, startupProbe }).flatMap(([name, probe]) =>
    probe === undefined ? [] : [[name, withNumber(probe, ports)] as const],
  );
  const own = turn === turns[1] ? [`--bind-address=${address}`] : [];
  return stringify(
    {
      ...manifest,
      metadata: {
        ...manifest?.metadata,
        name: turn,
        annotations: { ...manifest?.metadata?.annotations, [revisionAnnotation]: revision },
      },
      spec: {
        ...manifest?.spec,
        terminationGracePeriodSeconds: graceSeconds,
        containers: [
          {
            ...rest,
            ...Object.fromEntries(probes),
            command: [...command.filter((word) => !word.startsWith('--bind-address=')), ...own],
            // Why it ended is in the pod's status then.
            terminationMessagePolicy: 'FallbackToLogsOnError',
          },
        ],
      },
    },
    { lineWidth: 0 },
  );
};

import { z } from 'zod';

const absolutePath = z.string().startsWith('/', { error: 'it is no absolute path' });
const port = z.int().min(1).max(65535);

/** Settings of a stack with platform kind: `understudy:kind`. */
export const kindSettings = z.strictObject({
  /** Whose containers the nodes are; the first that works, unless told. */
  engine: z.enum(['docker', 'podman']).optional(),
  /** A node image that the engine has or can pull, and with it the version of Kubernetes; one made here, unless told. */
  nodeImage: z.string().min(1).optional(),
  /** Folders of this machine that all nodes see. */
  mounts: z
    .array(
      z.strictObject({ hostPath: absolutePath, containerPath: absolutePath, readOnly: z.boolean().default(false) }),
    )
    .default([]),
  /** Ports of the control-plane node that are reachable at this machine. */
  ports: z
    .array(
      z.strictObject({
        containerPort: port,
        hostPort: port,
        listenAddress: z.ipv4().default('127.0.0.1'),
        protocol: z.enum(['TCP', 'UDP', 'SCTP']).default('TCP'),
      }),
    )
    .default([]),
});
export type KindSettings = z.infer<typeof kindSettings>;

import { credentials } from '@grpc/grpc-js';
import engineGrpc from '@pulumi/pulumi/proto/engine_grpc_pb.js';
import enginePb from '@pulumi/pulumi/proto/engine_pb.js';

/** Where a provider's messages to the user go. */
export interface EngineLog {
  /** What a resource is doing right now; the next status of the same resource takes its place. */
  status(urn: string, message: string): void;
  warning(urn: string, message: string): void;
  /** Resolves when the engine has received all messages so far. */
  flushed(): Promise<void>;
}

/** The engine's log service. Messages that cannot be delivered are dropped: an operation never fails for its log. */
export interface EngineConnection extends EngineLog {
  /** @param address `host:port` of the engine. */
  connect(address: string): void;
  close(): void;
}

/** A status is soon out of date: more of them than the engine takes are dropped. */
const maxPendingStatuses = 32;

export const engineConnection = (): EngineConnection => {
  let client: engineGrpc.EngineClient | undefined;
  const pending = new Set<Promise<void>>();

  const log = (urn: string, message: string, severity: enginePb.LogSeverity, ephemeral: boolean): void => {
    const engine = client;
    if (engine === undefined || (ephemeral && pending.size >= maxPendingStatuses)) return;
    const request = new enginePb.LogRequest();
    request.setUrn(urn);
    request.setMessage(message);
    request.setSeverity(severity);
    request.setEphemeral(ephemeral);
    const delivery = new Promise<void>((resolve) => {
      engine.log(request, () => resolve());
    }).then(() => {
      pending.delete(delivery);
    });
    pending.add(delivery);
  };

  return {
    connect: (address) => {
      client?.close();
      client = new engineGrpc.EngineClient(address, credentials.createInsecure());
    },
    status: (urn, message) => log(urn, message, enginePb.LogSeverity.INFO, true),
    warning: (urn, message) => log(urn, message, enginePb.LogSeverity.WARNING, false),
    flushed: async () => {
      await Promise.all(pending);
    },
    close: () => client?.close(),
  };
};

import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import pluginPb from '@pulumi/pulumi/proto/plugin_pb.js';
import grpcPb from '@pulumi/pulumi/proto/provider_grpc_pb.js';
import pb from '@pulumi/pulumi/proto/provider_pb.js';
import statusPb from '@pulumi/pulumi/proto/status_pb.js';
import anyPb from 'google-protobuf/google/protobuf/any_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import { messageOf } from '../../common/failure.ts';
import { decode, encode } from './encoding.ts';
import { type EngineConnection, type EngineLog, engineConnection } from './engine.ts';
import {
  checkCall,
  checkResponse,
  createCall,
  deleteCall,
  diffCall,
  diffResponse,
  initFailedDetail,
  readCall,
  readResponse,
  updateCall,
} from './messages.ts';
import { PartialFailure, type ResourceProvider, Unsupported } from './provider.ts';

/** A listening provider, for the engine's `PULUMI_DEBUG_PROVIDERS`. */
export interface ProviderServer {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Ends what is under way and stops listening. */
  close(): Promise<void>;
}

export interface PluginInfo {
  /** `kubernetes` */
  readonly name: string;
  /** Of the official plugin that it stands in for. */
  readonly version: string;
}

interface Session {
  readonly provider: ResourceProvider;
  readonly engine: EngineConnection;
}

const errorFor = (thrown: unknown): Partial<ServiceError> => {
  const details = messageOf(thrown);
  if (thrown instanceof Unsupported) return { code: status.UNIMPLEMENTED, details };
  const error = { code: status.UNKNOWN, details };
  if (!(thrown instanceof PartialFailure)) return error;
  const detail = new anyPb.Any();
  const message = initFailedDetail(thrown.state, thrown.reasons);
  detail.pack(message.serializeBinary(), 'pulumirpc.ErrorResourceInitFailed');
  const rich = new statusPb.Status();
  rich.setCode(status.UNKNOWN);
  rich.setMessage(details);
  rich.addDetails(detail);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(rich.serializeBinary()));
  return { ...error, metadata };
};

const handshakeResponse = (): pb.ProviderHandshakeResponse => {
  const response = new pb.ProviderHandshakeResponse();
  response.setAcceptSecrets(true);
  response.setAcceptResources(true);
  response.setSupportsAutonamingConfiguration(true);
  return response;
};

const configureResponse = (): pb.ConfigureResponse => {
  const response = new pb.ConfigureResponse();
  response.setAcceptsecrets(true);
  response.setAcceptresources(true);
  response.setSupportspreview(true);
  response.setSupportsAutonamingConfiguration(true);
  return response;
};

const fromState = <Response extends pb.CreateResponse | pb.UpdateResponse>(
  response: Response,
  outputs: Parameters<typeof encode>[0],
): Response => {
  response.setProperties(encode(outputs));
  return response;
};

/**
 * Serves a provider on a free port of 127.0.0.1. The engine opens one connection for each provider of the program (and
 * for each that is only in its state) and does not name the provider in later calls, so each connection gets its own.
 */
export const serveProvider = async (
  info: PluginInfo,
  create: (log: EngineLog) => ResourceProvider,
): Promise<ProviderServer> => {
  const sessions = new Map<string, Session>();

  const sessionOf = (peer: string): Session => {
    const known = sessions.get(peer);
    if (known !== undefined) return known;
    const engine = engineConnection();
    const session = { engine, provider: create(engine) };
    sessions.set(peer, session);
    return session;
  };

  const unary =
    <Request, Response>(answer: (session: Session, request: Request) => Response | Promise<Response>) =>
    (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
      const work = async (): Promise<Response> => {
        const session = sessionOf(call.getPeer());
        try {
          return await answer(session, call.request);
        } finally {
          await session.engine.flushed();
        }
      };
      work().then(
        (response) => callback(null, response),
        (thrown) => callback(errorFor(thrown)),
      );
    };

  const refuse = (what: string) =>
    unary((): never => {
      throw new Unsupported(what, info.name);
    });

  const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  server.addService(grpcPb.ResourceProviderService, {
    handshake: unary(({ engine }, request: pb.ProviderHandshakeRequest) => {
      engine.connect(request.getEngineAddress());
      return handshakeResponse();
    }),
    attach: unary(({ engine }, request: pluginPb.PluginAttach) => {
      engine.connect(request.getAddress());
      return new emptyPb.Empty();
    }),
    getPluginInfo: unary(() => {
      const response = new pluginPb.PluginInfo();
      response.setVersion(info.version);
      return response;
    }),
    checkConfig: unary(({ provider }, request: pb.CheckRequest) =>
      checkResponse(provider.checkConfig(decode(request.getNews()))),
    ),
    diffConfig: unary(({ provider }, request: pb.DiffRequest) => {
      const { oldInputs, inputs } = diffCall(request);
      return diffResponse(provider.diffConfig(oldInputs, inputs));
    }),
    configure: unary(async ({ provider }, request: pb.ConfigureRequest) => {
      await provider.configure(decode(request.getArgs()));
      return configureResponse();
    }),
    check: unary(async ({ provider }, request: pb.CheckRequest) =>
      checkResponse(await provider.check(checkCall(request))),
    ),
    diff: unary(({ provider }, request: pb.DiffRequest) => diffResponse(provider.diff(diffCall(request)))),
    create: unary(async ({ provider }, request: pb.CreateRequest) => {
      const { id, outputs } = await provider.create(createCall(request));
      const response = fromState(new pb.CreateResponse(), outputs);
      response.setId(id);
      return response;
    }),
    read: unary(async ({ provider }, request: pb.ReadRequest) => readResponse(await provider.read(readCall(request)))),
    update: unary(async ({ provider }, request: pb.UpdateRequest) =>
      fromState(new pb.UpdateResponse(), await provider.update(updateCall(request))),
    ),
    delete: unary(async ({ provider }, request: pb.DeleteRequest) => {
      await provider.delete(deleteCall(request));
      return new emptyPb.Empty();
    }),
    invoke: unary(async ({ provider }, request: pb.InvokeRequest) => {
      const response = new pb.InvokeResponse();
      response.setReturn(encode(await provider.invoke(request.getTok(), decode(request.getArgs()))));
      return response;
    }),
    cancel: unary(({ provider }) => {
      provider.cancel();
      return new emptyPb.Empty();
    }),
    call: refuse('a method call'),
    construct: refuse('a component that the provider makes (yaml, kustomize or Helm)'),
    getSchema: refuse('the schema'),
    parameterize: refuse('a parameterized package'),
    // An empty answer says that there is no mapping.
    getMapping: unary(() => new pb.GetMappingResponse()),
    getMappings: unary(() => new pb.GetMappingsResponse()),
  });

  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });

  return {
    port,
    close: async () => {
      for (const { provider } of sessions.values()) provider.cancel();
      await new Promise<void>((resolve) => {
        // What the engine still waits for has been cancelled; an engine that hangs must not hold this up.
        const force = setTimeout(() => server.forceShutdown(), 2_000);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      });
      for (const { engine } of sessions.values()) engine.close();
    },
  };
};

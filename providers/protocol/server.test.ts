import { credentials, Server, ServerCredentials, type ServiceError, status } from '@grpc/grpc-js';
import engineGrpc from '@pulumi/pulumi/proto/engine_grpc_pb.js';
import type enginePb from '@pulumi/pulumi/proto/engine_pb.js';
import type pluginPb from '@pulumi/pulumi/proto/plugin_pb.js';
import grpcPb from '@pulumi/pulumi/proto/provider_grpc_pb.js';
import pb from '@pulumi/pulumi/proto/provider_pb.js';
import statusPb from '@pulumi/pulumi/proto/status_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { decode, encode } from './encoding.ts';
import type { EngineLog } from './engine.ts';
import { PartialFailure, type ResourceProvider, Unsupported } from './provider.ts';
import { type ProviderServer, serveProvider } from './server.ts';
import { type PropertyMap, Secret } from './values.ts';

type ProviderClient = grpcPb.ResourceProviderClient;

/** Answers with what it was configured with, so that a test sees which of several was asked. */
const stubProvider = (log: EngineLog): ResourceProvider => {
  let settings: PropertyMap = {};
  let cancelled = false;
  return {
    checkConfig: (inputs) => ({ inputs, failures: [{ property: 'a', reason: 'is wrong' }] }),
    diffConfig: () => ({ changes: new Map(), deleteBeforeReplace: false }),
    configure: async (inputs) => {
      settings = inputs;
    },
    check: async ({ inputs }) => ({ inputs, failures: [] }),
    diff: () => ({ changes: new Map(), deleteBeforeReplace: false }),
    create: async ({ inputs, urn }) => {
      if (inputs.fail === 'partly') {
        const state = { id: 'half', inputs, outputs: { hidden: new Secret('y') } };
        throw new PartialFailure(state, ['not ready', 'and why']);
      }
      if (inputs.fail === 'unsupported') throw new Unsupported('this', 'stub');
      if (inputs.fail === true) throw new Error('it broke');
      log.status(urn, 'working');
      log.warning(urn, 'careful');
      return { id: 'id', outputs: { ...settings, cancelled } };
    },
    read: async () => undefined,
    update: async ({ inputs }) => inputs,
    delete: async () => {},
    invoke: async (token, args) => ({ token, ...args }),
    cancel: () => {
      cancelled = true;
    },
  };
};

let server: ProviderServer;
let clients: ProviderClient[];

const connect = (): ProviderClient => {
  // Without its own pool, a second client would share the first one's connection.
  const options = { 'grpc.use_local_subchannel_pool': 1 };
  const client = new grpcPb.ResourceProviderClient(`127.0.0.1:${server.port}`, credentials.createInsecure(), options);
  clients.push(client);
  return client;
};

/** A call of a client's method as a promise. */
const ask = <Request, Response>(
  method: (request: Request, callback: (error: ServiceError | null, response: Response) => void) => unknown,
  request: Request,
): Promise<Response> =>
  new Promise((resolve, reject) => {
    method(request, (error, response) => (error === null ? resolve(response) : reject(error)));
  });

const configure = (client: ProviderClient, settings: PropertyMap): Promise<unknown> => {
  const request = new pb.ConfigureRequest();
  request.setArgs(encode(settings));
  return ask(client.configure.bind(client), request);
};

const create = async (client: ProviderClient, inputs: PropertyMap = {}): Promise<PropertyMap> => {
  const request = new pb.CreateRequest();
  request.setUrn('urn:pulumi:s::p::stub:index:Thing::it');
  request.setProperties(encode(inputs));
  const response = await ask<pb.CreateRequest, pb.CreateResponse>(client.create.bind(client), request);
  return decode(response.getProperties());
};

beforeEach(async () => {
  clients = [];
  server = await serveProvider({ name: 'stub', version: '1.2.3' }, stubProvider);
});

afterEach(async () => {
  for (const client of clients) client.close();
  await server.close();
});

test('it says which version of the official plugin it stands in for', async () => {
  const client = connect();
  const info = await ask<emptyPb.Empty, pluginPb.PluginInfo>(client.getPluginInfo.bind(client), new emptyPb.Empty());
  expect(info.getVersion()).toBe('1.2.3');
});

test('each connection has its own provider', async () => {
  const [one, two] = [connect(), connect()];
  await configure(one, { cluster: 'one' });
  await configure(two, { cluster: 'two' });
  await ask(two.cancel.bind(two), new emptyPb.Empty());
  expect(await create(one)).toEqual({ cluster: 'one', cancelled: false });
  expect(await create(two)).toEqual({ cluster: 'two', cancelled: true });
});

test('failures of settings are told by name', async () => {
  const client = connect();
  const response = await ask<pb.CheckRequest, pb.CheckResponse>(client.checkConfig.bind(client), new pb.CheckRequest());
  expect(response.toObject().failuresList).toEqual([{ property: 'a', reason: 'is wrong' }]);
});

test('a failure is its message', async () => {
  await expect(create(connect(), { fail: true })).rejects.toMatchObject({ code: status.UNKNOWN, details: 'it broke' });
});

test('a partial failure carries the state', async () => {
  const error = await create(connect(), { fail: 'partly' }).catch((failure: ServiceError) => failure);
  const [binary] = (error as ServiceError).metadata.get('grpc-status-details-bin');
  const rich = statusPb.Status.deserializeBinary(new Uint8Array(binary as Buffer));
  const [detail] = rich.getDetailsList();
  expect(detail?.getTypeUrl()).toBe('type.googleapis.com/pulumirpc.ErrorResourceInitFailed');
  const failed = pb.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
  expect(failed.getId()).toBe('half');
  expect(failed.getReasonsList()).toEqual(['not ready', 'and why']);
  expect(decode(failed.getInputs())).toEqual({ fail: 'partly' });
  expect(decode(failed.getProperties()).hidden).toEqual(new Secret('y'));
});

test('what is not supported names the official provider', async () => {
  const client = connect();
  const refused = {
    code: status.UNIMPLEMENTED,
    details: expect.stringContaining('pulumi plugin install resource stub'),
  };
  await expect(create(client, { fail: 'unsupported' })).rejects.toMatchObject(refused);
  await expect(ask(client.construct.bind(client), new pb.ConstructRequest())).rejects.toMatchObject(refused);
  await expect(ask(client.call.bind(client), new pb.CallRequest())).rejects.toMatchObject(refused);
  await expect(ask(client.getSchema.bind(client), new pb.GetSchemaRequest())).rejects.toMatchObject(refused);
});

test('messages reach the engine before the answer, and an engine that is gone holds nothing up', async () => {
  const logged = vi.fn();
  const engine = new Server();
  engine.addService(engineGrpc.EngineService, {
    log: (call: { request: enginePb.LogRequest }, callback: (error: null, response: emptyPb.Empty) => void) => {
      const { severity, message, ephemeral } = call.request.toObject();
      logged(severity, message, ephemeral);
      callback(null, new emptyPb.Empty());
    },
  });
  const port = await new Promise<number>((resolve) => {
    engine.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => resolve(bound));
  });
  const client = connect();
  const handshake = new pb.ProviderHandshakeRequest();
  handshake.setEngineAddress(`127.0.0.1:${port}`);
  await ask(client.handshake.bind(client), handshake);
  await create(client);
  expect(logged.mock.calls).toEqual([
    [1, 'working', true],
    [2, 'careful', false],
  ]);
  engine.forceShutdown();
  await create(client);
});

import { messageOf } from '../../common/failure.ts';
import type { EngineLog } from '../protocol/engine.ts';
import { type ResourceCall, type ResourceProvider, Unsupported } from '../protocol/provider.ts';
import type { PropertyMap } from '../protocol/values.ts';
import { checkInputs, isPatchResource, refuseUnsupported } from './check.ts';
import { checkpointFrom } from './checkpoint.ts';
import { Unreachable } from './client.ts';
import { type Cluster, connectCluster, type Operation } from './cluster.ts';
import { create, previewCreate } from './create.ts';
import { diffObjects } from './diff.ts';
import { apiVersionOf, kindOf, type TypeMeta, typeMetaOf } from './objects.ts';
import { read } from './read.ts';
import { remove } from './remove.ts';
import { checkSettings, diffSettings, type Settings, settingsFrom } from './settings.ts';
import { previewUpdate, update } from './update.ts';

/** Kind of an object in the state; of one that is not in it (imported), the type token's. */
const typeOf = (token: string, inputs: PropertyMap, outputs: PropertyMap): TypeMeta => {
  const { apiVersion, kind } = typeMetaOf(token);
  const tokenKind = isPatchResource(token, inputs) ? kind.replace(/Patch$/, '') : kind;
  const { live } = checkpointFrom(outputs);
  return {
    apiVersion: apiVersionOf(inputs) || apiVersionOf(live) || apiVersion,
    kind: kindOf(inputs) || kindOf(live) || tokenKind,
  };
};

/** A cause chain ends in the error that says whether the server answered at all. */
const isUnreachable = (thrown: unknown): boolean =>
  thrown instanceof Unreachable || (thrown instanceof Error && isUnreachable(thrown.cause));

/**
 * Stand-in for Pulumi's kubernetes provider: objects of one cluster, written by server-side apply, waited for by watches.
 * Names, state and rules are the official provider's (4.x), so that either can go on from the other's state.
 */
export const createKubernetesProvider = (log: EngineLog): ResourceProvider => {
  const cancellation = new AbortController();
  let settings: Settings = settingsFrom({});
  let cluster: Promise<Cluster> | undefined;
  let answers = true;

  const connect = (): Promise<Cluster> => {
    cluster ??= connectCluster(settings);
    return cluster;
  };

  const operating = async <T>({ urn }: ResourceCall, work: (operation: Operation) => Promise<T>): Promise<T> => {
    let shown = '';
    const status = (message: string): void => {
      if (message === shown) return;
      shown = message;
      log.status(urn, message);
    };
    const warn = (message: string): void => log.warning(urn, message);
    try {
      return await work({ cluster: await connect(), signal: cancellation.signal, status, warn });
    } finally {
      status('');
    }
  };

  /** Where the kind has namespaces, the one of objects that name none; undefined where the server cannot be asked. */
  const defaultNamespaceOf = async (call: ResourceCall, type: TypeMeta): Promise<string | undefined> => {
    if (!answers) return undefined;
    try {
      const { discovery, namespace } = await connect();
      return (await discovery.find(type, cancellation.signal))?.namespaced === true ? namespace : undefined;
    } catch (error) {
      answers = false;
      log.status(call.urn, `the cluster cannot be asked: ${messageOf(error).split('\n')[0]}`);
      return undefined;
    }
  };

  /** Does without the cluster's answer where the settings say that what cannot be reached is gone. */
  const unlessForgotten = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (settings.deleteUnreachable && isUnreachable(error)) return undefined;
      throw error;
    }
  };

  const previewed = async (
    call: ResourceCall & { readonly inputs: PropertyMap },
    ask: (operation: Operation) => Promise<PropertyMap | undefined>,
  ): Promise<PropertyMap> => {
    try {
      await connect();
    } catch {
      // Without a usable kubeconfig there is nobody to ask: that is for the update to complain of.
      return call.inputs;
    }
    return (await operating(call, ask)) ?? call.inputs;
  };

  return {
    checkConfig: checkSettings,
    diffConfig: diffSettings,
    configure: async (inputs) => {
      settings = settingsFrom(inputs);
    },
    check: async (call) => {
      refuseUnsupported(call);
      const type = typeOf(call.type, call.inputs, {});
      return checkInputs(call, await defaultNamespaceOf(call, type));
    },
    diff: (call) => diffObjects(call, isPatchResource(call.type, call.inputs), settings),
    create: async (call) => {
      const isPatch = isPatchResource(call.type, call.inputs);
      if (!call.preview) return operating(call, (operation) => create(operation, call, isPatch));
      return { id: '', outputs: await previewed(call, (operation) => previewCreate(operation, call, isPatch)) };
    },
    read: (call) =>
      unlessForgotten(() =>
        operating(call, (operation) => read(operation, call, typeOf(call.type, call.oldInputs, call.oldOutputs))),
      ),
    update: async (call) => {
      const isPatch = isPatchResource(call.type, call.inputs);
      if (!call.preview) return operating(call, (operation) => update(operation, call, isPatch));
      return previewed(call, (operation) => previewUpdate(operation, call, isPatch));
    },
    delete: async (call) => {
      const type = typeOf(call.type, call.oldInputs, call.oldOutputs);
      const isPatch = isPatchResource(call.type, call.oldInputs);
      await unlessForgotten(() => operating(call, (operation) => remove(operation, call, type, isPatch)));
    },
    invoke: (token) => {
      throw new Unsupported(`the function ${token}`, 'kubernetes');
    },
    cancel: () => {
      cancellation.abort(new DOMException('the engine ended the operation', 'AbortError'));
      cluster?.then(({ client }) => client.close()).catch(() => {});
    },
  };
};

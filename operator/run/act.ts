import { messageOf } from '../../common/failure.ts';
import { isApiError, type KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';
import type { Action, ControllerName, EventNote, ManagedConditions } from '../action.ts';
import { existingKeyProblem } from '../keySecret.ts';
import type { Migrator } from '../migration/index.ts';
import { managedNamespace } from '../names.ts';
import type { Secret } from '../observation.ts';
import { writeEvent } from './events.ts';

/** What actions are done with. */
export interface Actor {
  readonly client: KubeClient;
  readonly migrator: Migrator;
  readonly log: Log;
}

const operatorStatusPath = '/apis/operator.openshift.io/v1/kubeapiservers/cluster/status';
const operatorObject = { apiVersion: 'operator.openshift.io/v1', kind: 'KubeAPIServer', metadata: { name: 'cluster' } };

const secretsOf = (namespace: string): string => `/api/v1/namespaces/${namespace}/secrets`;
const keySecrets = secretsOf(managedNamespace);

const asSecret = (secret: Secret): object => ({ apiVersion: 'v1', kind: 'Secret', ...secret });

const conflict = 409;

/** Whether it was done by us; a conflict means that the next observation decides otherwise. */
type Done = Promise<boolean>;

const unless = async (code: number, work: () => Promise<unknown>): Done => {
  try {
    await work();
    return true;
  } catch (error) {
    if (isApiError(error, code)) return false;
    throw error;
  }
};

const createKeySecret = async ({ client }: Actor, secret: Secret): Done => {
  const created = await unless(conflict, () =>
    client.send({ method: 'POST', path: keySecrets, body: asSecret(secret) }),
  );
  if (created) return true;
  const path = `${keySecrets}/${secret.metadata.name}`;
  const problem = existingKeyProblem(await client.send<Secret>({ method: 'GET', path }));
  if (problem !== undefined) throw new Error(problem);
  return false;
};

const applyConfigSecret = ({ client }: Actor, secret: Secret): Done => {
  const { namespace = managedNamespace, name, resourceVersion } = secret.metadata;
  const body = asSecret(secret);
  const path = secretsOf(namespace);
  return unless(conflict, () =>
    resourceVersion === undefined
      ? client.send({ method: 'POST', path, body })
      : client.send({ method: 'PUT', path: `${path}/${name}`, body }),
  );
};

const perform = async (actor: Actor, action: Action): Done => {
  const { client, migrator } = actor;
  switch (action.kind) {
    case 'createKeySecret':
      return createKeySecret(actor, action.secret);
    case 'updateKeySecret': {
      const path = `${keySecrets}/${action.secret.metadata.name}`;
      return unless(conflict, () => client.send({ method: 'PUT', path, body: asSecret(action.secret) }));
    }
    case 'deleteKeySecret':
      return unless(404, () => client.send({ method: 'DELETE', path: `${keySecrets}/${action.name}` }));
    case 'applyConfigSecret':
      return applyConfigSecret(actor, action.secret);
    case 'ensureMigration':
      await migrator.ensure(action.resource, action.writeKey);
      return true;
    case 'pruneMigration':
      await migrator.prune(action.resource);
      return true;
    case 'writePreflight': {
      // Null takes a former result away, which a merge patch would keep.
      const preflight = { ...action.preflight, result: action.preflight.result ?? null };
      await client.send({
        method: 'PATCH',
        path: operatorStatusPath,
        body: { status: { encryptionStatus: { preflight } } },
        contentType: 'application/merge-patch+json',
      });
      return true;
    }
    case 'tell':
      return true;
  }
};

const nameOf = (action: Action): string | undefined => {
  if ('secret' in action) return action.secret.metadata.name;
  if ('name' in action) return action.name;
  return 'resource' in action ? action.resource : undefined;
};

export interface ActionFailure {
  readonly controller: ControllerName;
  readonly message: string;
}

/** Does them in order; after a failure the others of that controller are left out. @returns the failures */
export const performAll = async (actor: Actor, actions: readonly Action[]): Promise<readonly ActionFailure[]> => {
  const failures = new Map<ControllerName, ActionFailure>();
  const tell = async ({ controller }: Action, notes: readonly EventNote[]): Promise<void> => {
    for (const note of notes) {
      await writeEvent(actor.client, controller, note).catch((error: unknown) =>
        actor.log.warn({ reason: messageOf(error), event: note.reason }, 'could not write an event'),
      );
    }
  };
  for (const action of actions) {
    const { controller, kind } = action;
    if (failures.has(controller)) continue;
    try {
      const done = await perform(actor, action);
      actor.log.info({ controller, action: kind, name: nameOf(action), done }, 'acted');
      if (done) await tell(action, action.events ?? []);
    } catch (error) {
      const message = messageOf(error);
      actor.log.error({ controller, action: kind, name: nameOf(action), reason: message }, 'could not act');
      failures.set(controller, { controller, message });
      if (kind === 'createKeySecret') {
        await tell(action, [{ ...action.failureEvent, message: `${action.failureEvent.message}: ${message}` }]);
      }
    }
  }
  return [...failures.values()];
};

/** Applies the conditions of those field managers that have something new to say. */
export const applyConditions = async ({ client }: Actor, sets: readonly ManagedConditions[]): Promise<void> => {
  for (const { fieldManager, conditions, changed } of sets) {
    if (changed) await client.apply(operatorStatusPath, fieldManager, { ...operatorObject, status: { conditions } });
  }
};

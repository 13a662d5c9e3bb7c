import type { OperatorCondition, Preflight, Secret } from './observation.ts';

export const controllerNames = [
  'EncryptionKey',
  'EncryptionKMSPreflight',
  'EncryptionState',
  'EncryptionMigration',
  'EncryptionPrune',
  'EncryptionCondition',
  'EncryptionRotation',
  'KMSHealth',
] as const;
export type ControllerName = (typeof controllerNames)[number];
/** Who says something in conditions: a controller, or who counts the nodes. */
export type ConditionWriter = ControllerName | 'StaticPods';

/** A v1 Event about the operator; written once its action has succeeded. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/**
 * What to do, in this order. Where one fails, the later ones of the same controller are left out, its conditions become
 * those of `conditionsAfterFailure`, and the next observation decides again. All are safe to do twice.
 */
export type Action = { readonly controller: ControllerName; readonly events?: readonly EventNote[] } & (
  | {
      /** Where it exists already (409), `existingKeyProblem` judges the existing one. */
      readonly kind: 'createKeySecret';
      readonly secret: Secret;
      /** Written where creation fails; the error's text is added to the message. */
      readonly failureEvent: EventNote;
    }
  | {
      /** PUT with `metadata.resourceVersion` of the observation; a conflict is no failure: observe again. */
      readonly kind: 'updateKeySecret';
      readonly secret: Secret;
    }
  | {
      /** A secret that is gone is no failure. */
      readonly kind: 'deleteKeySecret';
      readonly name: string;
    }
  | {
      /** POST without `metadata.resourceVersion`, PUT with it; conflict and 'already exists' are no failures: observe again. */
      readonly kind: 'applyConfigSecret';
      /** To its own `metadata.namespace` and `name`: the source or the copy. */
      readonly secret: Secret;
    }
  | {
      /** Starts a migration; one of the same resource with another write key is removed first. */
      readonly kind: 'ensureMigration';
      readonly resource: string;
      readonly writeKey: string;
    }
  | {
      /** Ends and forgets the migration of a resource; none is no failure. */
      readonly kind: 'pruneMigration';
      readonly resource: string;
    }
  | {
      /** Replaces `status.encryptionStatus.preflight`. */
      readonly kind: 'writePreflight';
      readonly preflight: Preflight;
    }
  | {
      /** Nothing but its events. */
      readonly kind: 'tell';
    }
);

/** Conditions to apply server-side under one field manager: all that it owns, each with its lastTransitionTime. */
export interface ManagedConditions {
  readonly controller: ConditionWriter;
  readonly fieldManager: string;
  readonly conditions: readonly OperatorCondition[];
  /** Whether they differ from those observed; unchanged ones need no request. */
  readonly changed: boolean;
}

export interface Decision {
  readonly actions: readonly Action[];
  readonly conditions: readonly ManagedConditions[];
  /** Whether every API server reports the newest configuration. */
  readonly converged: boolean;
  /** Milliseconds after which to observe again though nothing was seen to change. After any action: at once. */
  readonly recheckAfterMs: number;
}

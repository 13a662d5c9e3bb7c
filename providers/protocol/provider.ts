import type { PropertyMap } from './values.ts';

/** What all calls about one resource have in common. */
export interface ResourceCall {
  readonly urn: string;
  /** Type token: `kubernetes:core/v1:Secret`. */
  readonly type: string;
  /** The name that the program gave it. */
  readonly name: string;
}

export interface CheckCall extends ResourceCall {
  /** Inputs that the last operation left; undefined for a resource that is new. */
  readonly oldInputs: PropertyMap | undefined;
  readonly inputs: PropertyMap;
  /** The same bytes in a preview and in the update after it: names made from them agree. */
  readonly randomSeed: Uint8Array;
  readonly autonaming: Autonaming | undefined;
}

/** What the stack's `pulumi:autonaming` setting asks for. */
export interface Autonaming {
  readonly mode: 'propose' | 'enforce' | 'disable';
  readonly proposedName: string;
}

export interface CheckFailure {
  /** Path of the input that is wrong; empty where it is the resource as a whole. */
  readonly property: string;
  readonly reason: string;
}

export interface CheckResult {
  readonly inputs: PropertyMap;
  readonly failures: readonly CheckFailure[];
}

export interface DiffCall extends ResourceCall {
  readonly id: string;
  readonly oldInputs: PropertyMap;
  readonly oldOutputs: PropertyMap;
  readonly inputs: PropertyMap;
  /** Property paths whose changes the program wants left alone. */
  readonly ignoreChanges: readonly string[];
}

export interface PropertyDiff {
  readonly kind: 'add' | 'delete' | 'update';
  readonly replaces: boolean;
}

export interface DiffResult {
  /** By property path of the inputs; empty where nothing changes. */
  readonly changes: ReadonlyMap<string, PropertyDiff>;
  /** A replacement deletes the old resource before it creates the new one. */
  readonly deleteBeforeReplace: boolean;
}

export interface CreateCall extends ResourceCall {
  readonly inputs: PropertyMap;
  /** From the program's `customTimeouts`; 0 where it sets none. */
  readonly timeoutSeconds: number;
  readonly preview: boolean;
}

export interface UpdateCall extends DiffCall {
  readonly timeoutSeconds: number;
  readonly preview: boolean;
}

export interface ReadCall extends ResourceCall {
  readonly id: string;
  /** Empty where the resource is imported or looked up. */
  readonly oldInputs: PropertyMap;
  readonly oldOutputs: PropertyMap;
}

export interface DeleteCall extends ResourceCall {
  readonly id: string;
  readonly oldInputs: PropertyMap;
  readonly oldOutputs: PropertyMap;
  readonly timeoutSeconds: number;
}

export interface ResourceState {
  readonly id: string;
  readonly inputs: PropertyMap;
  readonly outputs: PropertyMap;
}

/** One configured provider: the engine's `pulumirpc.ResourceProvider` in this project's own types. */
export interface ResourceProvider {
  checkConfig(inputs: PropertyMap): CheckResult;
  /** Differences that need the provider, and all its resources, replaced say so. */
  diffConfig(oldInputs: PropertyMap, inputs: PropertyMap): DiffResult;
  configure(inputs: PropertyMap): Promise<void>;
  check(call: CheckCall): Promise<CheckResult>;
  diff(call: DiffCall): DiffResult;
  /** @throws PartialFailure where the resource exists but is not what it should be yet. */
  create(call: CreateCall): Promise<{ readonly id: string; readonly outputs: PropertyMap }>;
  /** Undefined where there is no such resource. */
  read(call: ReadCall): Promise<ResourceState | undefined>;
  update(call: UpdateCall): Promise<PropertyMap>;
  delete(call: DeleteCall): Promise<void>;
  invoke(token: string, args: PropertyMap): Promise<PropertyMap>;
  /** Makes everything that is under way end soon, with an error. */
  cancel(): void;
}

/** A resource that exists, but not as it should: the engine keeps its state and tries again with the next update. */
export class PartialFailure extends Error {
  readonly state: ResourceState;
  readonly reasons: readonly string[];

  constructor(state: ResourceState, reasons: readonly string[]) {
    super(reasons.join('\n'));
    this.state = state;
    this.reasons = reasons;
  }
}

/** Something that the official provider does and a stand-in does not. */
export class Unsupported extends Error {
  constructor(what: string, officialProvider: string) {
    super(
      `${what} is not supported by the stand-in for Pulumi's ${officialProvider} provider\n` +
        `  next: install the official one (pulumi plugin install resource ${officialProvider}) and run this again`,
    );
  }
}

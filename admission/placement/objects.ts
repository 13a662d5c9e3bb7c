/** The fields of Kubernetes objects that decide where a pod may run, as an admission request has them. */
export interface Metadata {
  readonly name?: string;
  readonly generateName?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

export interface NodeSelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly NodeSelectorRequirement[];
  readonly matchFields?: readonly NodeSelectorRequirement[];
}

export interface PodSpec {
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly Toleration[];
  readonly affinity?: {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: {
        readonly nodeSelectorTerms?: readonly NodeSelectorTerm[];
      };
    };
  };
}

export interface Pod {
  readonly metadata?: Metadata;
  readonly spec?: PodSpec;
}

export interface DaemonSet {
  readonly metadata?: Metadata;
  readonly spec?: { readonly template?: { readonly spec?: PodSpec } };
}

export interface Namespace {
  readonly metadata?: Metadata;
}

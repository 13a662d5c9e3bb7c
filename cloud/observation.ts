/** An access that is asked for by a SelfSubjectAccessReview. */
export interface Access {
  readonly verb: string;
  /** '' is the core group. */
  readonly group: string;
  /** Perhaps with a subresource: `pods/log`. */
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** What was read of a cluster before anything in it is changed. */
export interface CloudObservation {
  /** Of its API server: `v1.34.1`. */
  readonly kubernetes: string;
  /** By `clusterversions.config.openshift.io/version`; undefined where it is no OpenShift. */
  readonly openShift: { readonly version: string; readonly clusterID: string } | undefined;
  /** `status.platformStatus.type` of `infrastructures.config.openshift.io/cluster`: `AWS`. */
  readonly platform: string | undefined;
  /** By `featuregates.config.openshift.io/cluster`, of the version that runs. */
  readonly features: { readonly set: string; readonly enabled: readonly string[] };
  readonly controlPlanes: number;
  /** By `apiservers.config.openshift.io/cluster`: the mode, and the plugin's image with KMS; undefined where there is none. */
  readonly encryption: { readonly type: string; readonly kmsPluginImage: string | undefined } | undefined;
  /** The stack that the plugin's namespace is of, '' for nobody's; undefined where there is none. */
  readonly namespaceOf: string | undefined;
  /** Registries in the cluster's own pull secret; undefined where it may not be read. */
  readonly pullSecret: readonly string[] | undefined;
  /** Of those that were asked for. */
  readonly denied: readonly Access[];
}

/** Kinds of faults that a plugin can be told to have, and what each takes beside `key`, `node` and `until`. */
export const faultFields = {
  latency: { required: ['milliseconds'], optional: ['method'] },
  hang: { required: [], optional: ['method'] },
  'rate-limit': { required: ['perSecond'], optional: ['method'] },
  error: { required: ['code'], optional: ['message', 'method'] },
  'decrypt-only': { required: [], optional: [] },
  unhealthy: { required: [], optional: [] },
  'wrong-version': { required: [], optional: [] },
  'flip-flop-key-id': { required: [], optional: [] },
  'mismatched-key-id': { required: [], optional: [] },
  'empty-key-id': { required: [], optional: [] },
  'oversized-key-id': { required: [], optional: [] },
  'missing-socket': { required: [], optional: [] },
} as const;

export type BackendFaultKind = keyof typeof faultFields;

/** A fault of the KMS behind the plugins; it has its name from the map that it is in. */
export interface BackendFault {
  readonly kind: BackendFaultKind;
  /** Key number; every key where absent. 0 is the plain plugin. */
  readonly key?: number;
  /** Name of a node; every node where absent. */
  readonly node?: string;
  /** RFC 3339; until it is taken away where absent. */
  readonly until?: string;
  readonly method?: 'status' | 'encrypt' | 'decrypt';
  readonly milliseconds?: number;
  readonly perSecond?: number;
  /** gRPC's name of a code. */
  readonly code?: string;
  readonly message?: string;
}

export interface KmsBackendSpec {
  /** By key number in decimal; a key that is not here has version 1. */
  readonly keyVersions?: Readonly<Record<string, number>>;
  readonly faults?: Readonly<Record<string, BackendFault>>;
}

/** What the plugin of a node serves, by its own word. */
export interface KmsBackendNodeStatus {
  /** `metadata.generation` of the backend that the node's plugin was told of last. */
  readonly observedGeneration: number;
  /** By key number; absent where there is no key, since server-side apply makes nothing of a map that has become empty. */
  readonly keys?: Readonly<Record<string, { readonly version: number; readonly keyID: string }>>;
  /**
   * Hex sha256 of the encryption configuration that the node's API server has loaded, told once no other one serves there
   * any more. Absent before the first.
   */
  readonly configHash?: string;
}

/** `kmsbackends.understudy.dev/cluster`: the one KMS behind all plugins of a cluster. */
export interface KmsBackend {
  readonly metadata?: { readonly name?: string; readonly generation?: number; readonly resourceVersion?: string };
  readonly spec?: KmsBackendSpec;
  readonly status?: { readonly nodes?: Readonly<Record<string, KmsBackendNodeStatus>> };
}

export const kmsBackendGroup = 'understudy.dev';
export const kmsBackendVersion = 'v1alpha1';
export const kmsBackendPlural = 'kmsbackends';

const grpcCodes = [
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

const millisecondsOfDay = 86_400_000;

const faultKinds = Object.entries(faultFields);

const inCel = (names: readonly string[]): string => `[${names.map((name) => `'${name}'`).join(', ')}]`;

/** Which kinds must have a field, and that no other has it, as validation rules of the API server. */
const fieldRules = (field: string): readonly { readonly rule: string; readonly message: string }[] => {
  const requiring = faultKinds.flatMap(([kind, { required }]) =>
    (required as readonly string[]).includes(field) ? [kind] : [],
  );
  const taking = faultKinds.flatMap(([kind, { required, optional }]) =>
    [...required, ...optional].includes(field as never) ? [kind] : [],
  );
  return [
    {
      rule: `!has(self.${field}) || self.kind in ${inCel(taking)}`,
      message: `${field} belongs to ${taking.join(', ')} only`,
    },
    ...requiring.map((kind) => ({
      rule: `self.kind != '${kind}' || has(self.${field})`,
      message: `${kind} needs ${field}`,
    })),
  ];
};

const faultSchema = {
  type: 'object',
  required: ['kind'],
  properties: {
    kind: { type: 'string', enum: Object.keys(faultFields), description: 'What goes wrong.' },
    key: {
      type: 'integer',
      minimum: 0,
      maximum: 999_999_999,
      description: 'Key number, 0 for the plain plugin; every key where absent.',
    },
    node: { type: 'string', minLength: 1, maxLength: 253, description: 'Node name; every node where absent.' },
    until: { type: 'string', format: 'date-time', description: 'When it ends; when it is removed where absent.' },
    method: {
      type: 'string',
      enum: ['status', 'encrypt', 'decrypt'],
      description: 'The calls that it is about; all where absent.',
    },
    milliseconds: {
      type: 'integer',
      minimum: 1,
      maximum: millisecondsOfDay,
      description: 'How late an answer is.',
    },
    perSecond: {
      type: 'number',
      minimum: 1000 / millisecondsOfDay,
      maximum: 1_000_000,
      description: 'How many calls are answered in a second.',
    },
    code: { type: 'string', enum: grpcCodes, description: "gRPC's code that calls fail with." },
    message: { type: 'string', minLength: 1, maxLength: 1024, description: 'What goes with the code.' },
  },
  'x-kubernetes-validations': ['milliseconds', 'perSecond', 'code', 'message', 'method'].flatMap(fieldRules),
};

const keyNumberPattern = '^(0|[1-9][0-9]{0,8})$';

const keyVersionsSchema = {
  type: 'object',
  description: 'Version of the key-encryption key by key number; 1 where absent.',
  maxProperties: 256,
  additionalProperties: { type: 'integer', minimum: 1, maximum: 1_000_000 },
  'x-kubernetes-validations': [
    { rule: `self.all(key, key.matches('${keyNumberPattern}'))`, message: 'names must be key numbers' },
    {
      rule: 'oldSelf.all(key, key in self && self[key] >= oldSelf[key])',
      message: 'versions must only increase',
    },
  ],
};

const faultsSchema = {
  type: 'object',
  description: 'Faults by name.',
  maxProperties: 64,
  additionalProperties: faultSchema,
  'x-kubernetes-validations': [
    {
      rule: "self.all(name, name.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$'))",
      message: 'names must be of a-z, 0-9 and dashes, 63 characters at most',
    },
  ],
};

const statusSchema = {
  type: 'object',
  properties: {
    nodes: {
      type: 'object',
      description: 'What the plugin of each node serves, by node name.',
      additionalProperties: {
        type: 'object',
        required: ['observedGeneration'],
        properties: {
          observedGeneration: { type: 'integer', format: 'int64' },
          configHash: {
            type: 'string',
            pattern: '^[0-9a-f]{64}$',
            description: 'sha256 of the encryption configuration that the only API server of the node has loaded.',
          },
          keys: {
            type: 'object',
            description: 'By key number.',
            additionalProperties: {
              type: 'object',
              required: ['version', 'keyID'],
              properties: {
                version: { type: 'integer', minimum: 1 },
                keyID: { type: 'string', maxLength: 1024, description: 'key_id of Status.' },
              },
            },
          },
        },
      },
    },
  },
};

/** The CustomResourceDefinition of KMSBackend. */
export const kmsBackendDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1' as const,
  kind: 'CustomResourceDefinition' as const,
  metadata: { name: `${kmsBackendPlural}.${kmsBackendGroup}` },
  spec: {
    group: kmsBackendGroup,
    scope: 'Cluster',
    names: { kind: 'KMSBackend', listKind: 'KMSBackendList', plural: kmsBackendPlural, singular: 'kmsbackend' },
    versions: [
      {
        name: kmsBackendVersion,
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            description: 'The KMS behind all plugins of the cluster.',
            properties: {
              spec: {
                type: 'object',
                properties: { keyVersions: keyVersionsSchema, faults: faultsSchema },
                'x-kubernetes-validations': [
                  {
                    rule: '!has(oldSelf.keyVersions) || has(self.keyVersions)',
                    message: 'keyVersions must not go away',
                  },
                ],
              },
              status: statusSchema,
            },
            'x-kubernetes-validations': [
              { rule: "self.metadata.name == 'cluster'", message: "the one object is named 'cluster'" },
            ],
          },
        },
      },
    ],
  },
};

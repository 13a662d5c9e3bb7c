import { readFileSync } from 'node:fs';
import {
  CustomResourceDefinition,
  type CustomResourceDefinitionArgs,
} from '@pulumi/kubernetes/apiextensions/v1/customResourceDefinition.js';
import { ComponentResource, type ComponentResourceOptions } from '@pulumi/pulumi';
import { parse } from 'yaml';
import { type SingletonArgs, singleton } from './singleton.ts';

export interface OpenShiftApiArgs {
  /** YAML files of CustomResourceDefinitions, absolute paths. */
  readonly definitionFiles: readonly string[];
}

/** Kinds of which OpenShift has one object, `cluster`; of ClusterOperator it has one an operator. */
const singletons: readonly SingletonArgs[] = [
  { apiVersion: 'config.openshift.io/v1', kind: 'APIServer', spec: {} },
  { apiVersion: 'operator.openshift.io/v1', kind: 'KubeAPIServer', spec: { managementState: 'Managed' } },
  { apiVersion: 'operator.openshift.io/v1', kind: 'OpenShiftAPIServer', spec: { managementState: 'Managed' } },
  { apiVersion: 'operator.openshift.io/v1', kind: 'Authentication', spec: { managementState: 'Managed' } },
  { apiVersion: 'config.openshift.io/v1', kind: 'ClusterOperator', name: 'kube-apiserver', spec: {} },
];

/** The part of OpenShift's API that encryption is asked for and reported in. */
export class OpenShiftApi extends ComponentResource {
  constructor(name: string, args: OpenShiftApiArgs, options?: ComponentResourceOptions) {
    super('understudy:index:OpenShiftApi', name, {}, options);
    const definitions = new Map(
      args.definitionFiles.map((file) => {
        const { metadata, spec } = parse(readFileSync(file, 'utf8')) as Definition;
        const resource = new CustomResourceDefinition(`${name}-${metadata.name}`, { metadata, spec }, { parent: this });
        return [`${spec.group}/${spec.names.kind}`, resource] as const;
      }),
    );
    for (const args of singletons) {
      const definition = definitions.get(`${args.apiVersion.split('/')[0]}/${args.kind}`);
      singleton(`${name}-${args.kind.toLowerCase()}`, args, {
        parent: this,
        dependsOn: definition === undefined ? [] : [definition],
      });
    }
    this.registerOutputs();
  }
}

interface Definition {
  readonly metadata: { readonly name: string };
  readonly spec: CustomResourceDefinitionArgs['spec'] & {
    readonly group: string;
    readonly names: { readonly kind: string };
  };
}

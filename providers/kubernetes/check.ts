import { type CheckCall, type CheckFailure, type CheckResult, Unsupported } from '../protocol/provider.ts';
import { containsAsset, type PropertyMap, Unknown } from '../protocol/values.ts';
import { unsupportedAnnotations } from './annotations.ts';
import { withName } from './naming.ts';
import { annotationOf, at, kindOf, typeMetaOf, withAt } from './objects.ts';

/** Kinds that only the official provider knows how to make. */
const officialOnly = ['helm.sh/', 'yaml/', 'kustomize/'];

/**
 * A patch type (`ConfigMapPatch`) writes some fields of an object that others own. Its inputs carry the object's own kind.
 * A custom kind may end so too: then its inputs do.
 */
export const isPatchResource = (token: string, inputs: PropertyMap): boolean => {
  const { kind } = typeMetaOf(token);
  return kind.endsWith('Patch') && kindOf(inputs) !== kind;
};

/** @throws Unsupported for types that the stand-in leaves to the official provider. */
export const refuseUnsupported = (call: CheckCall): void => {
  const { apiVersion, kind } = typeMetaOf(call.type);
  if (officialOnly.some((prefix) => apiVersion.startsWith(prefix))) {
    throw new Unsupported(`${kind} (${call.type})`, 'kubernetes');
  }
  if (kind.endsWith('List') && 'items' in call.inputs) {
    throw new Unsupported(`a list of objects (${call.type}); declare each object by itself`, 'kubernetes');
  }
};

const failuresOf = (inputs: PropertyMap, isPatch: boolean): CheckFailure[] => {
  const failures: CheckFailure[] = [];
  const name = at(inputs, 'metadata', 'name');
  const hasName = name !== undefined && name !== '';
  if (containsAsset(inputs)) failures.push({ property: '', reason: 'files and archives cannot be part of an object' });
  if (isPatch && !hasName) failures.push({ property: 'metadata.name', reason: 'a patch needs the name of its object' });
  if (!hasName && at(inputs, 'metadata', 'generateName') !== undefined) {
    const reason = "is not supported with server-side apply: leave it out, and a name is made from the resource's";
    failures.push({ property: 'metadata.generateName', reason });
  }
  for (const annotation of unsupportedAnnotations) {
    if (annotationOf(inputs, annotation) === undefined) continue;
    const reason = "is not supported by the stand-in for Pulumi's kubernetes provider: leave it out";
    failures.push({ property: `metadata.annotations["${annotation}"]`, reason });
  }
  return failures;
};

/**
 * Inputs with everything filled in that this provider decides: kind, name, namespace.
 * @param namespace of objects that name none; undefined where the kind has none, or that is not known.
 */
export const checkInputs = (call: CheckCall, namespace: string | undefined): CheckResult => {
  const type = typeMetaOf(call.type);
  const isPatch = isPatchResource(call.type, call.inputs);
  const failures = failuresOf(call.inputs, isPatch);
  if (failures.length > 0) return { inputs: call.inputs, failures };
  const typed = { apiVersion: type.apiVersion, kind: type.kind, ...call.inputs };
  const named = withName(typed, call);
  const given = at(named, 'metadata', 'namespace');
  const places = namespace !== undefined && (given === undefined || given === null || given === '');
  const placed =
    places && !(at(named, 'metadata') instanceof Unknown) ? withAt(named, ['metadata', 'namespace'], namespace) : named;
  return { inputs: placed, failures };
};

import { Failure, messageOf } from '../../common/failure.ts';
import { ApiError, Unreachable } from './client.ts';
import { describe, type KubeObject } from './objects.ts';

const nextStep = (error: ApiError): string => {
  const { code, message } = error;
  if (code === 401) return 'check the credentials in the kubeconfig';
  if (/because it is being terminated|is being deleted/.test(message))
    return 'wait until the old one is gone and run this again';
  if (code === 403) return "give the kubeconfig's user the right that the message names";
  if (code === 404 && /namespaces? "/.test(message))
    return "create the namespace first: use its output as this object's namespace";
  if (code === 409 && message.startsWith('Apply failed')) {
    return (
      'others have set these fields: leave them out of the program, ' +
      'or take them over with the annotation pulumi.com/patchForce: "true"'
    );
  }
  if (/immutable|may not be changed|are forbidden/.test(message)) {
    return "such a field needs a new object: name it in the resource option 'replaceOnChanges'";
  }
  if (code === 400 || code === 422) return 'correct the fields that the message names';
  return 'run this again; if it stays, look at the log of the API server';
};

/** The failure of a verb on an object, in the API server's words and with what to do. */
export const failureOf = (verb: string, object: KubeObject, thrown: unknown): unknown => {
  const tried = `${verb} ${describe(object)}`;
  if (thrown instanceof ApiError) {
    return new Failure({ tried, got: thrown.message, next: nextStep(thrown), cause: thrown });
  }
  if (thrown instanceof Unreachable) {
    const next =
      "check that the cluster runs and that the kubeconfig's server is right; where it is gone for good, " +
      'PULUMI_K8S_DELETE_UNREACHABLE=true forgets its objects at the next refresh or destroy';
    return new Failure({ tried, got: thrown.message, next, cause: thrown });
  }
  if (thrown instanceof Error && thrown.name === 'AbortError') {
    return new Failure({
      tried,
      got: `it was cancelled (${messageOf(thrown)})`,
      next: 'run this again',
      cause: thrown,
    });
  }
  return thrown;
};

export const unknownKind = (verb: string, object: KubeObject): Failure =>
  new Failure({
    tried: `${verb} ${describe(object)}`,
    got: `the API server does not serve ${object.apiVersion} ${object.kind}`,
    next: 'create its CustomResourceDefinition first (dependsOn), or check apiVersion and kind',
  });

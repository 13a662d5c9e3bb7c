import { createHash, randomBytes } from 'node:crypto';
import { Failure } from '../../common/failure.ts';
import type { CheckCall } from '../protocol/provider.ts';
import { autonamed, isAutonamed } from './annotations.ts';
import { at, type KubeObject, stringAt, withAt } from './objects.ts';

/** Eight hexadecimal digits, the same for the same seed. */
const suffix = (seed: Uint8Array): string =>
  (seed.length === 0 ? randomBytes(4) : createHash('sha256').update(seed).digest().subarray(0, 4)).toString('hex');

const named = (inputs: KubeObject, name: string): KubeObject =>
  withAt(withAt(inputs, ['metadata', 'name'], name), ['metadata', 'annotations', autonamed], 'true');

/**
 * The inputs with a name: the program's, else the one made up before, else `<name in the program>-<8 hex digits>`, with the
 * annotation that says so.
 * @throws Failure where the stack's settings forbid to make one up.
 */
export const withName = (inputs: KubeObject, call: CheckCall): KubeObject => {
  const name = at(inputs, 'metadata', 'name');
  if (name !== undefined && name !== '') return inputs;
  const { oldInputs, autonaming } = call;
  if (oldInputs !== undefined && isAutonamed(oldInputs)) {
    return named(inputs, stringAt(oldInputs, 'metadata', 'name') ?? '');
  }
  if (autonaming?.mode === 'disable') {
    throw new Failure({
      tried: `name the resource '${call.name}'`,
      got: "the stack's setting pulumi:autonaming forbids to make names up",
      next: "set its 'metadata.name'",
    });
  }
  return named(inputs, autonaming?.proposedName || `${call.name}-${suffix(call.randomSeed)}`);
};

/** A field manager of its own for each object, so that two programs do not take each other for themselves. */
export const newFieldManager = (): string => `pulumi-kubernetes-${randomBytes(4).toString('hex')}`;

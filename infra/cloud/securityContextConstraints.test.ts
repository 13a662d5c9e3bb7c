import { expect, test } from 'vitest';
import { pluginSecurityContext } from '../kmsPluginContainer.ts';
import { pluginConstraints } from './securityContextConstraints.ts';

test('the constraints allow what the plugin is, and no more', () => {
  const constraints = pluginConstraints('a', 'system:serviceaccount:b:c', {});
  expect(constraints.users).toEqual(['system:serviceaccount:b:c']);
  expect(constraints.runAsUser.uid).toBe(pluginSecurityContext.runAsUser);
  expect(constraints.requiredDropCapabilities).toEqual(pluginSecurityContext.capabilities.drop);
  expect(constraints.readOnlyRootFilesystem).toBe(pluginSecurityContext.readOnlyRootFilesystem);
  const allowed = Object.entries(constraints).filter(([name, value]) => name.startsWith('allow') && value === true);
  expect(allowed).toEqual([['allowHostDirVolumePlugin', true]]);
});

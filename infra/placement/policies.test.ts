import { expect, test } from 'vitest';
import { celMutation, celOf, celPatch } from './cel.ts';
import { bindingOf, mutatingPolicies, validatingBindingOf, validatingPolicies } from './policies.ts';

test('a JSON value is a CEL expression whose maps take members of any type', () => {
  expect(celOf({ a: "it's", b: [1, true], c: {} })).toBe(`{"a": dyn("it's"), "b": dyn([1, true]), "c": dyn({})}`);
});

test('a step of a patch is a map, of which a mutation makes a JSONPatch', () => {
  expect(celPatch({ op: 'remove', path: celOf('/a') })).toBe(
    '{"op": dyn("remove"), "path": dyn("/a"), "value": dyn(null)}',
  );
  expect(celMutation('x').jsonPatch.expression).toBe('(x).map(p, JSONPatch{op: p.op, path: p.path, value: p.value})');
});

test('every policy refuses what it cannot judge, has a label to be known by, and is bound', () => {
  for (const policy of [...mutatingPolicies, ...validatingPolicies(['small'], true)]) {
    expect(policy.spec.failurePolicy).toBe('Fail');
    expect(policy.metadata).toMatchObject({
      name: expect.stringMatching(/^understudy-/),
      labels: { app: 'hollow-nodes' },
    });
    expect(bindingOf(policy).spec).toEqual({ policyName: policy.metadata.name });
    expect(validatingBindingOf(policy).spec).toEqual({ policyName: policy.metadata.name, validationActions: ['Deny'] });
  }
});

test('the names of hollow nodes are those of the groups, to the letter', () => {
  const text = JSON.stringify(validatingPolicies(['small', 'a.b'], true));
  expect(text).toContain(JSON.stringify(celOf('^(?:hollow-small-|hollow-a\\.b-)[0-9]+$')).slice(1, -1));
  expect(JSON.stringify(validatingPolicies([], true))).not.toContain('(?:');
});

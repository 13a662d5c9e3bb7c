import { expect, test } from 'vitest';
import { moduleFolderIn } from './cBuild.ts';

test('the folder that go mod download tells', () => {
  expect(moduleFolderIn('{"Path": "k8s.io/kubernetes", "Dir": "/go/pkg/mod/k8s.io/kubernetes@v1.36.3"}')).toBe(
    '/go/pkg/mod/k8s.io/kubernetes@v1.36.3',
  );
  expect(() => moduleFolderIn('{"Error": "not found"}')).toThrow(/told no folder.*not found/);
});

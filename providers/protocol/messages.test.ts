import pb from '@pulumi/pulumi/proto/provider_pb.js';
import { expect, test } from 'vitest';
import { encode } from './encoding.ts';
import { checkCall, diffResponse, parseUrn, readResponse } from './messages.ts';

test('a URN tells the type of the resource itself and its name', () => {
  const urn = 'urn:pulumi:dev::proj::my:Component$kubernetes:core/v1:Secret::a::b';
  expect(parseUrn(urn)).toEqual({ urn, type: 'kubernetes:core/v1:Secret', name: 'a::b' });
});

test('a check of a new resource has no old inputs', () => {
  const request = new pb.CheckRequest();
  request.setUrn('urn:pulumi:dev::proj::kubernetes:core/v1:Secret::a');
  request.setNews(encode({ x: 1 }));
  expect(checkCall(request)).toMatchObject({ oldInputs: undefined, inputs: { x: 1 }, autonaming: undefined });
  request.setOlds(encode({}));
  expect(checkCall(request).oldInputs).toEqual({});
});

test('a diff says what is replaced, and by path', () => {
  const response = diffResponse({
    changes: new Map([
      ['spec.selector', { kind: 'update', replaces: true }],
      ['metadata.labels["a/b"]', { kind: 'add', replaces: false }],
    ]),
    deleteBeforeReplace: true,
  });
  expect(response.toObject()).toMatchObject({
    changes: pb.DiffResponse.DiffChanges.DIFF_SOME,
    replacesList: ['spec.selector'],
    diffsList: ['spec', 'metadata'],
    deletebeforereplace: true,
    hasdetaileddiff: true,
    detaileddiffMap: [
      ['metadata.labels["a/b"]', { kind: pb.PropertyDiff.Kind.ADD, inputdiff: true }],
      ['spec.selector', { kind: pb.PropertyDiff.Kind.UPDATE_REPLACE, inputdiff: true }],
    ],
  });
  const none = diffResponse({ changes: new Map(), deleteBeforeReplace: false });
  expect(none.getChanges()).toBe(pb.DiffResponse.DiffChanges.DIFF_NONE);
});

test('an empty ID says that a resource is gone', () => {
  expect(readResponse(undefined).getId()).toBe('');
});

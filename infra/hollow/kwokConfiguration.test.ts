import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { kwokConfiguration } from './kwokConfiguration.ts';

test('kwok tends the nodes of its groups and no others, by the stages that it is given', () => {
  const text = kwokConfiguration(['kind: Stage\nmetadata: { name: one }\n', 'kind: Stage\nmetadata: { name: two }\n']);
  const [configuration, ...stages] = parseAllDocuments(text).map((document) => document.toJS() as unknown);
  expect(configuration).toMatchObject({
    kind: 'KwokConfiguration',
    options: {
      manageAllNodes: false,
      manageNodesWithLabelSelector: 'understudy.dev/hollow-engine=kwok',
    },
  });
  expect(stages).toEqual([
    { kind: 'Stage', metadata: { name: 'one' } },
    { kind: 'Stage', metadata: { name: 'two' } },
  ]);
});

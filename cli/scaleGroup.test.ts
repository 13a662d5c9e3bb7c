import { expect, test } from 'vitest';
import { UsageFailure } from '../common/failure.ts';
import { scaledStackFile } from './scaleGroup.ts';

const file = `# my cluster
config:
  understudy:platform: local
  understudy:hollowNodes:
    - name: small # for the scheduler
      count: 3
    - name: big
      engine: kwok
      count: 20
`;

test('one number changes, comments and all else stay', () => {
  expect(scaledStackFile(file, 'x.yaml', 'big', 500)).toBe(file.replace('count: 20', 'count: 500'));
});

test('a group that is not there is refused with the names of those that are', () => {
  const scale = () => scaledStackFile(file, 'x.yaml', 'huge', 1);
  expect(scale).toThrow(UsageFailure);
  expect(scale).toThrow(/x.yaml has no group of that name; it has: small, big/);
});

test('so it is where the stack has no groups at all', () => {
  expect(() => scaledStackFile('config: {}\n', 'x.yaml', 'a', 1)).toThrow(/it has: no group/);
});

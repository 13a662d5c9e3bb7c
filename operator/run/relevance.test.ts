import { expect, it } from 'vitest';
import { relevantText } from './relevance.ts';

const object = (message: string, extra: object = {}, more: readonly object[] = []) => ({
  metadata: { resourceVersion: message },
  spec: { managementState: 'Managed' },
  status: {
    conditions: [{ type: 'Encrypted' }, { type: 'KMSHealthReporter_a', message }, ...more] as { type: string }[],
    encryptionStatus: { healthReports: [message], preflight: 'p' },
    ...extra,
  },
});

it('is the same whatever reporters say, and another for all else', () => {
  const text = relevantText(object('1'));
  expect(relevantText(object('2'))).toBe(text);
  expect(relevantText(object('2', {}, [{ type: 'KMSHealthReporter_b' }]))).toBe(text);
  expect(relevantText(object('1', {}, [{ type: 'KMSPluginsDegraded' }]))).not.toBe(text);
  expect(relevantText(object('1', { nodeStatuses: [] }))).not.toBe(text);
  expect(relevantText(object('1', { encryptionStatus: { preflight: 'q' } }))).not.toBe(text);
  expect(relevantText({ metadata: { resourceVersion: '1' } })).not.toBe(text);
});

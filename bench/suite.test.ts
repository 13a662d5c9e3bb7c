import { expect, test } from 'vitest';
import { outcomesOf, quietSecondsOf } from './suite.ts';

const output = `=== RUN   TestEncryptionTypeUnset
    helpers.go:1: Haven't seen a new key for 5m0s
--- PASS: TestEncryptionTypeUnset (315.20s)
--- FAIL: TestEncryptionTurnOnAndOff (60.01s)
PASS
`;

test("outcomes and the suite's own waits are read from what it prints", () => {
  expect(outcomesOf(output)).toEqual([
    { test: 'TestEncryptionTypeUnset', passed: true, seconds: 315.2 },
    { test: 'TestEncryptionTurnOnAndOff', passed: false, seconds: 60.01 },
  ]);
  expect(quietSecondsOf(output)).toBe(300);
});

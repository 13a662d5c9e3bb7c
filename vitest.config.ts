import { defineConfig } from 'vitest/config';

const minute = 60_000;

/** Three layers by what they need: nothing; the real programs of the toolchain; a whole cluster (root). */
export default defineConfig({
  test: {
    reporters: ['verbose'],
    projects: [
      {
        test: { name: 'unit', include: ['**/*.test.ts'], exclude: ['test/**', 'node_modules/**'], testTimeout: 5_000 },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 2 * minute,
          hookTimeout: 2 * minute,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 5 * minute,
          hookTimeout: 5 * minute,
          // One cluster takes both cores where it starts or hands over.
          maxWorkers: 1,
        },
      },
    ],
  },
});

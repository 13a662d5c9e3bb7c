import type { Progress } from '../common/progress.ts';
import { measureDetection } from './health/detection.ts';
import { measureFleets } from './health/fleet.ts';
import { measureReporter } from './health/process.ts';

/** How soon a fault is told, what a reporter takes, how many an API server bears, and what an outage leaves. */
export const benchHealth = async (progress: Progress): Promise<Readonly<Record<string, unknown>>> => ({
  ...(await measureDetection(progress)),
  ...(await measureReporter(progress)),
  ...(await measureFleets(progress)),
});

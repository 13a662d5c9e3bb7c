import type { MigrationObservation } from '../observation.ts';

/**
 * Has all objects of a resource stored under the current write key. Each call may be repeated at any time; what is under
 * way goes on in the background.
 * @see library-go pkg/operator/encryption/controllers/migrators
 */
export interface Migrator {
  /** The migrations of these resources, as far as there are any. Those that a former process left unfinished go on. */
  observe(resources: readonly string[]): Promise<readonly MigrationObservation[]>;
  /**
   * Starts the migration of a resource (`secrets`, `<resource>.<group>`) for a write key where there is none; one for
   * another write key is ended and forgotten first. One that is finished, well or not, stays so until {@link prune}.
   */
  ensure(resource: string, writeKey: string): Promise<MigrationObservation>;
  /** Ends and forgets the migration of a resource, whatever its state; none is no failure. */
  prune(resource: string): Promise<void>;
  /** Stops what is under way, so that the next process goes on from there. */
  close(): Promise<void>;
}

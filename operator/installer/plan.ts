import type { Instance } from './apiServerProcess.ts';

/** What there is on a node, as far as its configuration is concerned. Hashes as kube-apiserver reports them. */
export interface NodeObservation {
  readonly instances: readonly Instance[];
  /** Of the configuration that is wished; undefined where there is none yet, or it could not be read so far. */
  readonly wished: string | undefined;
  /** Of the file. */
  readonly file: string | undefined;
  /** Of the copy of the file that a handover, or one that was cut short, would go back to. */
  readonly previous: string | undefined;
  /** How long no instance has answered, milliseconds; 0 where one does. */
  readonly silentMs: number;
}

export type Step =
  /** Nothing to do. */
  | { readonly kind: 'rest' }
  /** An API server comes up, or does not: its supervisor is at it. */
  | { readonly kind: 'wait' }
  /** Nobody is wanted to run. */
  | { readonly kind: 'start' }
  /** Two run, left over from a handover that was cut short. */
  | { readonly kind: 'end'; readonly names: readonly string[] }
  /** The new file keeps the API server from running, and the one before is still there. */
  | { readonly kind: 'goBack'; readonly names: readonly string[] }
  /** The wished file is loaded: what was for the time before it can go. */
  | { readonly kind: 'settle' }
  /** The wished file is to be loaded. */
  | { readonly kind: 'take' };

/** How long an API server may take from its start to its first answer, milliseconds. */
const startsWithinMs = 60_000;

/** The one of several to keep: with the right file, else one that answers, else the oldest; the oldest of equals. */
const keeper = (instances: readonly Instance[], right: string | undefined): Instance | undefined => {
  const oldestFirst = [...instances].sort((a, b) => a.since - b.since);
  return (
    oldestFirst.find(({ loaded }) => loaded !== undefined && loaded === right) ??
    oldestFirst.find(({ loaded }) => loaded !== undefined) ??
    oldestFirst[0]
  );
};

const namesOf = (instances: readonly Instance[]): readonly string[] => instances.map(({ name }) => name);

/** The next step from what is running, what is loaded and what is wished. */
export const planStep = ({ instances, wished, file, previous, silentMs }: NodeObservation): Step => {
  const kept = keeper(instances, wished ?? file);
  if (kept === undefined) return { kind: 'start' };
  const others = instances.filter((instance) => instance !== kept);
  if (others.length > 0) return { kind: 'end', names: namesOf(others) };
  if (kept.loaded === undefined) {
    const isStuck = silentMs > startsWithinMs && previous !== undefined && previous !== file;
    return isStuck ? { kind: 'goBack', names: [kept.name] } : { kind: 'wait' };
  }
  if (wished === undefined) return { kind: 'rest' };
  return { kind: kept.loaded === wished ? 'settle' : 'take' };
};

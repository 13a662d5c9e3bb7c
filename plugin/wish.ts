import * as z from 'zod/mini';
import { largestNumber } from './derivation.ts';
import { isSocketMissing } from './faults/decide.ts';
import { type Fault, faultProblem, faultSchema } from './faults/fault.ts';
import { keySocketPath } from './flagValues.ts';

const numberError = `must be a whole number from 1 to ${largestNumber}`;
const numberSchema = z.int(numberError).check(z.gte(1, numberError), z.lte(largestNumber, numberError));

const keyError = 'must be {"number": …, "version": …} and nothing else';

const wishError = 'must be {"keys": […], "faults": […]} and nothing else';

const wishSchema = z.strictObject(
  {
    keys: z
      .array(z.strictObject({ number: numberSchema, version: numberSchema }, keyError), 'must be a list of keys')
      .check(
        z.refine((keys) => new Set(keys.map(({ number }) => number)).size === keys.length, 'must name each key once'),
      ),
    faults: z.optional(z.array(faultSchema, 'must be a list of faults')),
  },
  wishError,
);

/** What is wanted of a node's plugin: `wish.json`. */
export interface Wish {
  readonly keys: readonly { readonly number: number; readonly version: number }[];
  readonly faults: readonly Fault[];
}

export const nothingWished: Wish = { keys: [], faults: [] };

/** Why a wish cannot be read. */
export class WishError extends Error {
  override readonly name = 'WishError';
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw new WishError(text.trim() === '' ? 'it is empty' : 'it is cut short or is no JSON');
  }
};

/** @throws WishError */
export const parseWish = (text: string): Wish => {
  const { success, data, error } = wishSchema.safeParse(parseJson(text));
  if (!success) throw new WishError(faultProblem(error));
  return { keys: data.keys, faults: data.faults ?? [] };
};

/** A key that is to be served. */
export interface WantedKey {
  /** 0 is the plain one. */
  readonly number: number;
  readonly socketPath: string;
  /** At least this one; an older one changes nothing. */
  readonly version: number;
}

/** The keys to serve now: the wished ones and the plain one, without those whose socket a fault takes away. */
export const wantedKeys = (
  { keys, faults }: Wish,
  plainSocketPath: string | undefined,
  socketDir: string | undefined,
  nowMs: number,
): readonly WantedKey[] => {
  const plain = plainSocketPath === undefined ? [] : [{ number: 0, socketPath: plainSocketPath, version: 1 }];
  const wished =
    socketDir === undefined
      ? []
      : keys.map(({ number, version }) => ({ number, socketPath: keySocketPath(socketDir, number), version }));
  return [...plain, ...wished].filter(({ number }) => !isSocketMissing(faults, number, nowMs));
};

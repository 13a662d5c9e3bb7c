import { messageOf } from '../common/failure.ts';
import type { JsonPatchOperation } from './jsonPatch.ts';

/**
 * What the API server asks.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
 */
export interface AdmissionRequest {
  readonly uid: string;
  readonly kind: { readonly kind: string };
  readonly operation: string;
  /** Empty where it is about the object itself. */
  readonly subResource: string;
  /** Of the object; empty where it is in none. A Namespace's own name for a Namespace. */
  readonly namespace: string;
  readonly dryRun: boolean;
  /** As its kind has it; undefined for a deletion. */
  readonly object: unknown;
  readonly oldObject: unknown;
}

/** What to do with an object: nothing where all is left out. */
export interface Verdict {
  readonly patch?: readonly JsonPatchOperation[];
  /** kubectl shows them. */
  readonly warnings?: readonly string[];
  /** Why it is not admitted. */
  readonly refused?: string;
}

/** Decides about one object. What it throws fails the request: the webhook's failure policy says what becomes of the object. */
export type Handler = (request: AdmissionRequest, deadline: AbortSignal) => Promise<Verdict>;

/** What was sent is no AdmissionReview. */
export class MalformedReview extends Error {
  override readonly name = 'MalformedReview';
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (fields: Fields, name: string): string => {
  const value = fields[name] ?? '';
  if (typeof value !== 'string') throw new MalformedReview(`request.${name} is no string`);
  return value;
};

const parseJson = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new MalformedReview(`the body is no JSON: ${messageOf(error)}`);
  }
};

const apiVersion = 'admission.k8s.io/v1';

/** @throws MalformedReview */
export const parseReview = (body: string): AdmissionRequest => {
  const review = parseJson(body);
  if (!isFields(review) || review.kind !== 'AdmissionReview' || review.apiVersion !== apiVersion) {
    throw new MalformedReview(`the body is no AdmissionReview of ${apiVersion}`);
  }
  const { request } = review;
  if (!isFields(request)) throw new MalformedReview('the AdmissionReview has no request');
  const { kind } = request;
  if (!isFields(kind)) throw new MalformedReview('request.kind is missing');
  const uid = textOf(request, 'uid');
  if (uid === '') throw new MalformedReview('request.uid is missing');
  return {
    uid,
    kind: { kind: textOf(kind, 'kind') },
    operation: textOf(request, 'operation'),
    subResource: textOf(request, 'subResource'),
    namespace: textOf(request, 'namespace'),
    dryRun: request.dryRun === true,
    object: request.object ?? undefined,
    oldObject: request.oldObject ?? undefined,
  };
};

/** An object that the review has to have. @throws MalformedReview */
export const objectOf = <T extends object>(value: unknown, name: 'object' | 'oldObject'): T => {
  if (!isFields(value)) throw new MalformedReview(`request.${name} is missing`);
  return value as T;
};

/** The AdmissionReview that answers. */
export const renderReview = (uid: string, { patch = [], warnings = [], refused }: Verdict): string =>
  JSON.stringify({
    apiVersion,
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: refused === undefined,
      ...(refused !== undefined && { status: { code: 403, reason: 'Forbidden', message: refused } }),
      ...(refused === undefined &&
        patch.length > 0 && {
          patchType: 'JSONPatch',
          patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
        }),
      ...(warnings.length > 0 && { warnings }),
    },
  });

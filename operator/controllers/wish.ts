import { isMode, type Mode } from '../keyState.ts';
import type { EncryptionSpec } from '../observation.ts';

/** @throws where the mode is none that can be asked for */
export const wishedMode = (encryption: EncryptionSpec | undefined): Mode => {
  const type = encryption?.type ?? '';
  if (type === '') return 'identity';
  if (isMode(type) && type !== 'secretbox') return type;
  throw new Error(`unknown encryption mode configured: ${type}`);
};

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && name in value ? Reflect.get(value, name) : undefined;

/** `encryption.reason` of `spec.unsupportedConfigOverrides`. @throws where it is no text */
export const externalReasonOf = (overrides: unknown): string => {
  const reason = member(member(overrides, 'encryption'), 'reason') ?? '';
  if (typeof reason === 'string') return reason;
  throw new Error(`encryption.reason of unsupportedConfigOverrides is a ${typeof reason}, not a string`);
};

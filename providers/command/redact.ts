import { isList, isMap, type PropertyValue, reveal, Secret } from '../protocol/values.ts';

const textsOf = (value: PropertyValue): string[] => {
  if (typeof value === 'string') return [value];
  if (isList(value)) return value.flatMap(textsOf);
  return isMap(value) ? Object.values(value).flatMap(textsOf) : [];
};

const secretTexts = (value: PropertyValue): string[] => {
  if (value instanceof Secret) return textsOf(reveal(value));
  if (isList(value)) return value.flatMap(secretTexts);
  return isMap(value) ? Object.values(value).flatMap(secretTexts) : [];
};

/** Shorter ones are found everywhere, and say little. */
const shortest = 4;

/** Takes the secrets among the inputs out of what is shown to people: a command's messages, and the command itself. */
export const redactor = (inputs: PropertyValue): ((text: string) => string) => {
  const secrets = secretTexts(inputs)
    .flatMap((secret) => [secret, ...secret.split('\n')])
    .filter((secret) => secret.trim().length >= shortest)
    .sort((left, right) => right.length - left.length);
  return (text) => secrets.reduce((shown, secret) => shown.replaceAll(secret, '[secret]'), text);
};

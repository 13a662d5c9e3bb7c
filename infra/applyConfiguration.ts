const isFields = (value: unknown): value is object => typeof value === 'object' && value !== null;

const render = (type: string, fields: object): string => {
  const parts = Object.entries(fields).map(([field, value]: [string, unknown]) => {
    const rendered = isFields(value) ? render(`${type}.${field}`, value) : JSON.stringify(value);
    return `${field}: ${rendered}`;
  });
  return `${type}{${parts.join(', ')}}`;
};

/**
 * The CEL expression of a mutation that sets these fields: nested objects of strings.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
 */
export const applyConfiguration = (fields: object): string => render('Object', fields);

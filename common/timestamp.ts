/** RFC 3339 in whole seconds, as Kubernetes writes times. @param time milliseconds since 1970, or a time as text */
export const timestampText = (time: number | string | Date): string =>
  new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');

import { type Logger, pino, stdTimeFunctions } from 'pino';

export type Log = Logger;

/**
 * One JSON object a line on standard output. Nothing that is logged holds a key, a plaintext or a secret's data.
 * @param level that of the variable LOG_LEVEL where left out, else `info`.
 */
export const createLog = (level = process.env.LOG_LEVEL ?? 'info'): Log =>
  pino({
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });

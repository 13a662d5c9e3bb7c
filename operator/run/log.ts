import { type Logger, pino, stdTimeFunctions } from 'pino';

export type Log = Logger;

/** One JSON object a line on standard output. Nothing that is logged holds a key or a secret's data. */
export const createLog = (): Log =>
  pino({
    level: process.env.LOG_LEVEL ?? 'info',
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });

import type { Log } from '../common/log.ts';
import { codeName } from './grpc/status.ts';
import type { CallReport } from './methods.ts';

/** Failed calls are warnings, the plugin's own mistakes errors; calls that went well, and the uid of any, show at debug only. */
export const logCall = (log: Log, { key, method, uid, seconds, error }: CallReport): void => {
  const debug = log.isLevelEnabled('debug');
  if (error === undefined && !debug) return;
  const call = { key, method, ...(debug ? { uid, ms: Math.round(seconds * 1e6) / 1e3 } : {}) };
  if (error === undefined) log.debug(call, 'answered');
  else if (error.cause !== undefined) log.error({ ...call, err: error.cause }, error.message);
  else log.warn({ ...call, code: codeName(error.code) }, error.message);
};

/** What one kube-apiserver process says of itself in `/metrics`. */
export interface ApiServerMetrics {
  /** When the process was started; milliseconds since 1970, exact to a hundredth of a second or so. */
  readonly startedAt: number;
  /** Lower-case hex sha256 of the loaded encryption configuration; undefined where there is none. */
  readonly configHash: string | undefined;
  /** The key_id that it writes with, by provider name, as lower-case hex sha256. */
  readonly keyIDHashes: Readonly<Record<string, string>>;
}

/** The lines that {@link parseApiServerMetrics} needs. */
export const metricsLines =
  /^(?:process_start_time_seconds|apiserver_encryption_config_controller_last_config_info|apiserver_envelope_encryption_key_id_hash).*$/gm;

const startedAtLine = /^process_start_time_seconds ([-+.e\d]+)$/m;
const hashLine =
  /^apiserver_encryption_config_controller_last_config_info\{[^}]*\bhash="sha256:([0-9a-f]+)"[^}]*\} 1$/m;
/** Those of values that were read are of any age, and left out. */
const keyIDLine =
  /^apiserver_envelope_encryption_key_id_hash(?:_status)?_last_timestamp_seconds\{([^}]*)\} ([-+.e\d]+)$/gm;

const label = (labels: string, name: string): string | undefined =>
  new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1];

/** Reads what matters out of Prometheus' text format. */
export const parseApiServerMetrics = (metrics: string): ApiServerMetrics => {
  const newest = new Map<string, { readonly hash: string; readonly at: number }>();
  for (const [, labels = '', value] of metrics.matchAll(keyIDLine)) {
    const provider = label(labels, 'provider_name');
    const hash = label(labels, 'key_id_hash')?.replace(/^sha256:/, '');
    const at = Number(value);
    const isRead = label(labels, 'transformation_type') === 'from_storage';
    if (provider === undefined || !hash || isRead || at < (newest.get(provider)?.at ?? 0)) continue;
    newest.set(provider, { hash, at });
  }
  return {
    startedAt: Number(startedAtLine.exec(metrics)?.[1] ?? 0) * 1000,
    configHash: hashLine.exec(metrics)?.[1],
    keyIDHashes: Object.fromEntries([...newest].map(([provider, { hash }]) => [provider, hash])),
  };
};

import { expect, it } from 'vitest';
import { parseApiServerMetrics } from './apiServerMetrics.ts';

const status = 'apiserver_envelope_encryption_key_id_hash_status_last_timestamp_seconds';
const used = 'apiserver_envelope_encryption_key_id_hash_last_timestamp_seconds';
const metrics = `# HELP process_start_time_seconds Start time
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1.79524870357e+09
apiserver_encryption_config_controller_last_config_info{apiserver_id_hash="sha256:aa",hash="sha256:0b1c"} 1
${status}{apiserver_id_hash="sha256:aa",key_id_hash="sha256:01",provider_name="1_secrets"} 1.79524870e+09
${status}{apiserver_id_hash="sha256:aa",key_id_hash="sha256:02",provider_name="1_secrets"} 1.79524880e+09
${used}{apiserver_id_hash="sha256:aa",key_id_hash="sha256:01",provider_name="1_secrets",transformation_type="from_storage"} 1.79524899e+09
${used}{apiserver_id_hash="sha256:aa",key_id_hash="sha256:09",provider_name="1_configmaps",transformation_type="to_storage"} 1.79524899e+09
`;

it('reads when it started, what it loaded, and what it writes with', () => {
  expect(parseApiServerMetrics(metrics)).toEqual({
    startedAt: 1_795_248_703_570,
    configHash: '0b1c',
    keyIDHashes: { '1_secrets': '02', '1_configmaps': '09' },
  });
});

it('knows nothing of what is not there', () => {
  expect(parseApiServerMetrics('')).toEqual({ startedAt: 0, configHash: undefined, keyIDHashes: {} });
});

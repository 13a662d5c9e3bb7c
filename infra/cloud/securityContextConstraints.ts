/**
 * What OpenShift lets the plugin's pods be: root with no capability, that reads and writes one folder of its node. SELinux keeps
 * other containers from a node's folders; `spc_t` is who may (container-selinux).
 * @param serviceAccount `system:serviceaccount:<namespace>:<name>`
 * @see https://github.com/openshift/api/blob/master/security/v1/types.go
 */
export const pluginConstraints = (name: string, serviceAccount: string, labels: Readonly<Record<string, string>>) => ({
  apiVersion: 'security.openshift.io/v1',
  kind: 'SecurityContextConstraints',
  metadata: { name, labels },
  users: [serviceAccount],
  groups: [],
  // The same as none, which has to be told.
  priority: 0,
  allowHostDirVolumePlugin: true,
  allowHostIPC: false,
  allowHostNetwork: false,
  allowHostPID: false,
  allowHostPorts: false,
  allowPrivilegedContainer: false,
  allowPrivilegeEscalation: false,
  allowedCapabilities: [],
  defaultAddCapabilities: [],
  requiredDropCapabilities: ['ALL'],
  readOnlyRootFilesystem: true,
  runAsUser: { type: 'MustRunAs', uid: 0 },
  seLinuxContext: { type: 'MustRunAs', seLinuxOptions: { type: 'spc_t' } },
  fsGroup: { type: 'RunAsAny' },
  supplementalGroups: { type: 'RunAsAny' },
  seccompProfiles: ['runtime/default'],
  volumes: ['hostPath', 'secret'],
});

/** Where the kubelet of a kubeadm node finds its static pods. */
export const manifestsDir = '/etc/kubernetes/manifests';

/** Names of the two static pods of kube-apiserver that take turns, and of their manifests without `.yaml`; the first is kubeadm's. */
export const turns = ['kube-apiserver', 'kube-apiserver-b'] as const;
export type Turn = (typeof turns)[number];

/** From SIGTERM to SIGKILL, seconds: the least that the kubelet gives. Clients of the old one have the new one by then. */
export const graceSeconds = 2;

import type { Layer } from './layer.ts';
import { type Descriptor, descriptorOf, mediaTypes } from './layout.ts';

/** What an image says beside its layers. */
export interface ImageSettings {
  /** Repository without tag: 'understudy.local/kms-plugin'. */
  readonly name: string;
  readonly entrypoint: readonly string[];
  /** GOARCH, as image configs have it. */
  readonly architecture: 'amd64' | 'arm64';
  /** `<uid>:<gid>` that it runs as where a pod says nothing; {@link nonroot} where left out. */
  readonly user?: string;
}

/** The documents of an image, ready to be written, and the descriptor that an index lists it by. */
export interface ImageDocuments {
  readonly config: string;
  readonly manifest: string;
  readonly descriptor: Descriptor;
  /** `<name>:<first 12 hex digits of the manifest's digest>`: other content, other reference. */
  readonly reference: string;
}

/** uid:gid that images run as; /etc/passwd of `userEntries` names it. */
export const nonroot = { uid: 65532, gid: 65532 } as const;

const referenceAnnotation = 'org.opencontainers.image.ref.name';

/** Config and manifest, without any time or host name, so that the same layers and settings give the same digest. */
export const imageDocuments = (settings: ImageSettings, layers: readonly Layer[]): ImageDocuments => {
  const config = JSON.stringify({
    architecture: settings.architecture,
    os: 'linux',
    config: {
      User: settings.user ?? `${nonroot.uid}:${nonroot.gid}`,
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin'],
      Entrypoint: settings.entrypoint,
      WorkingDir: '/',
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptorOf(mediaTypes.config, config),
    layers: layers.map(({ blob }) => blob),
  });
  const bare = descriptorOf(mediaTypes.manifest, manifest);
  const reference = `${settings.name}:${bare.digest.slice('sha256:'.length).slice(0, 12)}`;
  return {
    config,
    manifest,
    reference,
    // containerd names an imported image by the first of these, skopeo and podman by the second.
    descriptor: {
      ...bare,
      annotations: { 'io.containerd.image.name': reference, [referenceAnnotation]: reference },
    },
  };
};

/** The reference under which an index lists an image; empty where a foreign tool listed it without. */
export const referenceOf = (manifest: Descriptor): string => manifest.annotations?.[referenceAnnotation] ?? '';

const repositoryOf = (reference: string): string => reference.slice(0, reference.lastIndexOf(':'));

/** The first `perName` images of each name, in the order given. */
export const keepNewest = (manifests: readonly Descriptor[], perName: number): readonly Descriptor[] => {
  const seen = new Map<string, number>();
  return manifests.filter((manifest) => {
    const name = repositoryOf(referenceOf(manifest));
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count <= perName;
  });
};

import { readFile } from 'node:fs/promises';
import type { ComponentResourceOptions } from '@pulumi/pulumi';
import { silentProgress } from '../../common/progress.ts';
import { type BuiltImage, buildBinaryImage } from '../../image/build.ts';
import { ensureKwokStages, ensurePrograms } from '../../toolchain/index.ts';
import { AdmissionWebhook } from '../AdmissionWebhook.ts';
import type { Image } from '../Image.ts';
import { PlacementPolicies } from '../PlacementPolicies.ts';
import type { StackSettings } from '../settings.ts';
import { HollowNamespace } from './HollowNamespace.ts';
import { HollowNodes } from './HollowNodes.ts';
import { kwokConfiguration } from './kwokConfiguration.ts';

/** How the program puts images on the nodes. */
export interface ImageMakers {
  /** Of a service of ours; its main TypeScript file relative to the program's. */
  service(name: string, main: string): Image;
  loaded(name: string, repository: string, built: Promise<BuiltImage>): Image;
}

const programImage = (makers: ImageMakers, name: 'kubemark' | 'kwok'): Image => {
  const repository = `understudy.local/${name}`;
  const build = async (): Promise<BuiltImage> => {
    const programs = await ensurePrograms([name], silentProgress);
    return buildBinaryImage({ name: repository, binaryPath: programs[name] }, silentProgress);
  };
  return makers.loaded(name, repository, build());
};

const readStages = async (): Promise<readonly string[]> =>
  Promise.all((await ensureKwokStages(silentProgress)).map((path) => readFile(path, 'utf8')));

/** All that hollow nodes and UIDs take, by the stack's settings; nothing where it has none of them. */
export const simulateNodes = async (
  { hollowNodes: groups, placement, uids }: StackSettings,
  clusterName: string,
  makers: ImageMakers,
  onCluster: ComponentResourceOptions,
): Promise<void> => {
  const byWebhook = groups.length > 0 && placement === 'webhook';
  if (groups.length === 0 && uids === 'off') return;
  const namespace = new HollowNamespace('hollow', onCluster);
  const inNamespace: ComponentResourceOptions = { ...onCluster, dependsOn: [namespace] };
  const webhook =
    byWebhook || uids !== 'off'
      ? [
          new AdmissionWebhook(
            'admission',
            {
              image: makers.service('admission-webhook', '../admission/main.ts').reference,
              uids,
              placement: byWebhook,
            },
            inNamespace,
          ),
        ]
      : [];
  if (groups.length === 0) return;
  const names = groups.map(({ name }) => name);
  const policies = new PlacementPolicies('hollow-placement', { groups: names, placePods: !byWebhook }, onCluster);
  const has = (name: string): boolean => groups.some(({ engine }) => engine === name);
  new HollowNodes(
    'hollow-nodes',
    {
      clusterName,
      groups,
      images: {
        controller: makers.service('hollow-node-controller', '../hollow/main.ts').reference,
        kubemark: has('kubemark') ? programImage(makers, 'kubemark').reference : undefined,
        kwok: has('kwok') ? programImage(makers, 'kwok').reference : undefined,
      },
      kwokConfiguration: has('kwok') ? kwokConfiguration(await readStages()) : '',
      placement: [policies, ...webhook],
    },
    inNamespace,
  );
};

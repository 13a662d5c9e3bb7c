import { join } from 'node:path';
import { cacheDir, projectDir } from '../../common/paths.ts';
import { lineProgress } from '../../common/progress.ts';
import { createDownloader, parseMirror } from '../../toolchain/download.ts';
import type { Architecture, Group } from '../../toolchain/recipe.ts';
import { createToolchain } from '../../toolchain/toolchain.ts';

export const toolsDir = join(projectDir, 'test', 'tools');
export const goPlaces = ['/usr/local/go/bin/go'];
export const arch: Architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

/**
 * Paths of all programs of a group that only tests need, so that it is no part of the toolchain's own table: from PATH in
 * that version, the cache, a download, else a build, which takes minutes once.
 * @param modulesDir the folder of the module that pins them
 */
export const ensureTools = <N extends string>(
  group: Group<N>,
  modulesDir = toolsDir,
): Promise<Readonly<Record<N, string>>> =>
  createToolchain<N>({
    groups: [group],
    arch,
    modulesDir,
    cache: join(cacheDir(), 'toolchain'),
    downloader: createDownloader({ mirror: parseMirror(process.env.UNDERSTUDY_DOWNLOAD_MIRROR) }),
    env: process.env,
    goPlaces,
    buildsAtOnce: 1,
  }).ensure(
    group.programs.map(({ name }) => name),
    lineProgress((line) => process.stderr.write(line)),
  );

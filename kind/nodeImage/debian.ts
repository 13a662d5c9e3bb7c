import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tryExec } from '../../common/exec.ts';
import { Failure, hasCode } from '../../common/failure.ts';
import type { Progress } from '../../common/progress.ts';
import { debianPackages, debianSuite } from './recipe.ts';

/** What of a Debian nobody needs on a node. */
const superfluous = ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale'];

/**
 * A minimal Debian with the packages of a node at `folder`: whole, or not there.
 * @param work a folder of this run alone on the same file system
 * @throws Failure with the end of what debootstrap said
 */
export const makeDebian = (folder: string, work: string, progress: Progress): Promise<void> =>
  progress.phase(`Debian ${debianSuite} with ${debianPackages.length} packages`, async () => {
    const target = join(work, 'debian');
    const args = ['--variant=minbase', `--include=${debianPackages.join(',')}`, debianSuite, target];
    const result = await tryExec('debootstrap', args, { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
    if (result.code !== 0) {
      throw new Failure({
        tried: `make a Debian ${debianSuite} for kind's nodes`,
        got: `debootstrap: ${(result.stdout + result.stderr).trim().split('\n').slice(-5).join('\n    ')}`,
        next: 'check that http://deb.debian.org/debian can be reached (http_proxy holds), then run again',
      });
    }
    for (const path of superfluous) await rm(join(target, path), { recursive: true, force: true });
    await mkdir(dirname(folder), { recursive: true });
    try {
      await rename(target, folder);
    } catch (error) {
      // Another run was faster.
      if (!hasCode(error, 'ENOTEMPTY') && !hasCode(error, 'EEXIST')) throw error;
    }
  });

import { dirname } from 'node:path';
import { type BuildFailure, build, formatMessages } from 'esbuild';
import { Failure, messageOf } from '../common/failure.ts';

const isBuildFailure = (error: unknown): error is BuildFailure => error instanceof Error && 'errors' in error;

const esbuildMessage = async (error: unknown): Promise<string> =>
  isBuildFailure(error) && error.errors.length > 0
    ? (await formatMessages([...error.errors], { kind: 'error', color: false })).join('').trim()
    : messageOf(error);

/**
 * A service's TypeScript with all that it imports as one ES module for Node 24. The same sources give the same bytes
 * wherever they lie.
 * @throws Failure with esbuild's own message, which names file and line.
 */
export const bundleService = async (entryPoint: string): Promise<Uint8Array> => {
  try {
    const { outputFiles } = await build({
      entryPoints: [entryPoint],
      // esbuild writes the path of each source, relative to this, into a comment.
      absWorkingDir: dirname(entryPoint),
      bundle: true,
      write: false,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      logLevel: 'silent',
      // CommonJS packages inside an ES module call require for Node's own modules.
      banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
      define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
    });
    const [bundle] = outputFiles;
    if (bundle === undefined) throw new Error('esbuild wrote no file');
    return bundle.contents;
  } catch (error) {
    throw new Failure({
      tried: `bundle ${entryPoint}`,
      got: await esbuildMessage(error),
      next: 'mend the source at the line named above',
      cause: error,
    });
  }
};

import { Failure } from '../common/failure.ts';

/** @throws Failure where this process is not root's: boxes are namespaces, mounts and network interfaces. */
export const requireRoot = (tried: string): void => {
  if (process.getuid?.() === 0) return;
  throw new Failure({
    tried,
    got: 'this is not root',
    next: `type: sudo --preserve-env=PATH ${process.argv.join(' ')}`,
  });
};

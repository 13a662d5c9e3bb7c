/** How a program is asked for its version. */
export interface VersionQuestion {
  readonly args: readonly string[];
  /** Texts that the answer of the right program holds; its version is the first one after the first of them. */
  readonly says: readonly [string, ...string[]];
}

/** An official download. */
export interface Release {
  /** The program itself, or a `.tar.gz` or `.tgz` that holds it under its own name in any folder. */
  readonly url: string;
  /** The published SHA-256: a bare digest, or lines of digest and file name as `sha256sum` writes them. */
  readonly checksumsUrl: string;
}

export interface Program<Name extends string = string> {
  readonly name: Name;
  /** Left out where a program cannot tell its version: then one on PATH is never taken. */
  readonly asks?: VersionQuestion;
  /** Left out where nobody publishes it. */
  readonly release?: Release;
  /** Go package of its main function, in a group that `go build` makes. */
  readonly package?: string;
  /** Whether it is a file that is only read: then it is not executable. */
  readonly isData?: true;
}

/** `go build` of packages of a pinned module. */
export interface GoBuild {
  readonly kind: 'go';
  /** Folder with the go.mod and go.sum that pin it. */
  readonly module: string;
  readonly cgo: boolean;
  readonly tags: readonly string[];
  /** Go variables set at link time, `import/path.Name` to value. */
  readonly variables: Readonly<Record<string, string>>;
  readonly packages: readonly BuildPackage[];
}

/** One C file, compiled to a static program. */
export interface CBuild {
  readonly kind: 'c';
  /** Folder with the go.mod and go.sum that pin the Go module which holds the file. */
  readonly module: string;
  readonly goModule: string;
  /** The file's path in that Go module. */
  readonly file: string;
  /** Where the same file can be had without Go. */
  readonly url: string;
  readonly sha256: string;
  readonly flags: readonly string[];
  readonly packages: readonly BuildPackage[];
}

/** A file of a Go module. */
export interface ModuleFile {
  /** In the module. */
  readonly path: string;
  readonly sha256: string;
}

/** Files of a pinned Go module, taken as they are. */
export interface ModuleFiles {
  readonly kind: 'files';
  /** Folder with the go.mod and go.sum that pin it. */
  readonly module: string;
  readonly goModule: string;
  /** Where the module's own folder can be read without Go. */
  readonly url: string;
  /** By the name in the group. */
  readonly files: Readonly<Record<string, ModuleFile>>;
  readonly packages: readonly BuildPackage[];
}

/** A system package that only building needs. */
export type BuildPackage = 'ca-certificates' | 'gcc' | 'libc6-dev' | 'libseccomp-dev' | 'pkg-config';

/** Programs, or files, of one version that are got together. */
export interface Group<Name extends string = string> {
  readonly name: string;
  /** Without a leading v. */
  readonly version: string;
  readonly programs: readonly Program<Name>[];
  /** Left out where it can only be downloaded. */
  readonly build?: GoBuild | CBuild | ModuleFiles;
}

/** Processor names as Go and most releases spell them. */
export type Architecture = 'amd64' | 'arm64';

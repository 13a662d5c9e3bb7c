// What the page is told, written down once more: the types of the command line pull in modules that do not fit beside a
// browser's. feed.test.ts holds both together.

type Health = 'healthy' | 'unhealthy' | 'error' | 'unknown';

export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly status: Health;
  readonly kekID: string | null;
  readonly detail: string;
}

export interface Track {
  readonly node: string;
  readonly keyID: string | null;
  readonly served: boolean;
  readonly lastChecked: string | null;
  readonly segments: readonly Segment[];
}

export interface Condition {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export interface Key {
  readonly id: string;
  readonly mode: string;
  readonly state: 'write' | 'read' | 'unused';
  readonly migrated: boolean;
}

export type Migration = Readonly<Record<string, { readonly done: number; readonly total: number }>>;

export interface Fault {
  readonly name: string;
  readonly kind: string;
  readonly key?: number | undefined;
  readonly node?: string | undefined;
  /** RFC 3339; until it is cleared where there is none. */
  readonly until?: string | undefined;
}

export interface ClusterNode {
  readonly name: string;
  readonly ready: boolean;
  readonly hollow: boolean;
}

export interface StackStatus {
  readonly platform: string;
  readonly cluster: { readonly ready: boolean; readonly version: string; readonly nodes: readonly ClusterNode[] };
  readonly encryption: {
    readonly type: string | null;
    readonly encrypted: Condition;
    readonly keys: readonly Key[];
    readonly migration: Migration | null;
  };
  readonly degraded: Condition;
  readonly faults: readonly Fault[];
}

export interface StackBoard {
  readonly name: string;
  readonly state: 'waiting' | 'seen' | 'unreachable' | 'down' | 'failed';
  readonly problem: string;
  readonly status: StackStatus | null;
  readonly seenAt: number | null;
  readonly dead: readonly string[];
  readonly tracks: readonly Track[];
}

/** Times are milliseconds since the epoch. */
export interface View {
  readonly now: number;
  readonly began: number;
  readonly keepMs: number;
  readonly stacks: readonly StackBoard[];
}

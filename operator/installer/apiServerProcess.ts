/** One kube-apiserver of this node that is wanted to run. */
export interface Instance {
  readonly name: string;
  /** When it was started last; milliseconds since 1970. */
  readonly since: number;
  /** Hash of the file that it says to have loaded; undefined where it does not answer. */
  readonly loaded: string | undefined;
}

/** How the kube-apiserver of this node is restarted. */
export interface ApiServerProcess {
  /** Those that are wanted to run: one, two during a handover, none where somebody ended them all. */
  instances(signal: AbortSignal): Promise<readonly Instance[]>;
  /** Wants one more to run. */
  start(): Promise<void>;
  /** Ends one for good. */
  end(name: string): Promise<void>;
  /** Ends one that is to be started again, with the file as it is then. */
  restart(name: string): Promise<void>;
  /**
   * Lets one that has loaded the file with this hash take the place of the one that runs. It returns once that alone
   * serves. The file is there already.
   * @throws Failure where the new one ends or is not ready in time; the old one serves on, alone, as if nothing had been.
   */
  handOver(hash: string, signal: AbortSignal): Promise<void>;
}

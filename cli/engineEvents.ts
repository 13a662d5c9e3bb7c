import type { EngineEvent } from '@pulumi/pulumi/automation/index.js';
import type { Progress } from '../common/progress.ts';

const past: Readonly<Record<string, string>> = {
  create: 'created',
  update: 'updated',
  delete: 'deleted',
  replace: 'replaced',
  'create-replacement': 'created anew',
  'delete-replaced': 'deleted the old',
  refresh: 'looked at',
  import: 'imported',
  read: 'read',
};

const future: Readonly<Record<string, string>> = {
  create: '+ create',
  update: '~ update',
  delete: '- delete',
  replace: '± replace',
  'create-replacement': '± create anew',
  'delete-replaced': '± delete the old',
};

interface Resource {
  /** `DaemonSet`, without package and module. */
  readonly kind: string;
  readonly name: string;
}

/** The last parts of `urn:pulumi:<stack>::<project>::<parent types>$<type>::<name>`. */
const resourceOf = (urn: string): Resource => {
  const [, , types = '', name = ''] = urn.split('::');
  return { kind: types.split('$').at(-1)?.split(':').at(-1) ?? '', name };
};

const label = (urn: string): string => {
  const { kind, name } = resourceOf(urn);
  return `${kind} ${name}`;
};

/** A step of the plan, for `preview`; undefined for what stays as it is. */
const plannedStep = (event: EngineEvent): string | undefined => {
  const metadata = event.resourcePreEvent?.metadata;
  const verb = metadata === undefined ? undefined : future[metadata.op];
  return metadata === undefined || verb === undefined ? undefined : `${verb} ${label(metadata.urn)}`;
};

/** How many resources an operation changed, by the engine's own summary at its end. */
const changesIn = (event: EngineEvent): number =>
  Object.entries(event.summaryEvent?.resourceChanges ?? {})
    .filter(([operation]) => operation !== 'same')
    .reduce((sum, [, count]) => sum + (count ?? 0), 0);

/** Without colours, and without the brackets that the engine puts around what a program wrote. */
const plainText = (message: string): string =>
  message
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal sequences start with one
    .replaceAll(/\u001b\[[0-9;]*m/g, '')
    .replaceAll(/<\{%[^%]*%\}>/g, '')
    .trimEnd();

/** Severities of messages for people. */
const told: ReadonlySet<string> = new Set(['info', 'info#err', 'warning']);

/** Turns what an engine says into progress lines, and keeps its errors. */
export interface EngineListener {
  readonly onEvent: (event: EngineEvent) => void;
  readonly errors: readonly string[];
  /** Resources that were, or would be, changed. */
  readonly changes: () => number;
}

export const engineListener = (progress: Progress, describe: 'steps' | 'plan'): EngineListener => {
  const started = new Map<string, number>();
  const errors: string[] = [];
  let changes = 0;
  const say = (event: EngineEvent): void => {
    const planned = plannedStep(event);
    if (planned !== undefined && describe === 'plan') progress.note(planned);
    changes += changesIn(event);
    const pre = event.resourcePreEvent?.metadata;
    if (pre !== undefined) started.set(pre.urn, performance.now());
    const done = event.resOutputsEvent?.metadata;
    const verb = done === undefined ? undefined : past[done.op];
    if (done !== undefined && verb !== undefined && describe === 'steps') {
      const ms = performance.now() - (started.get(done.urn) ?? performance.now());
      progress.note(`${verb} ${label(done.urn)} (${(ms / 1000).toFixed(1)}s)`);
    }
    const diagnostic = event.diagnosticEvent;
    if (diagnostic === undefined) return;
    const text = plainText(diagnostic.message);
    if (diagnostic.severity === 'error') errors.push(`${diagnostic.urn ? `${label(diagnostic.urn)}: ` : ''}${text}`);
    // Not its debug messages: they tell every property, secrets too.
    else if (text !== '' && describe === 'steps' && told.has(diagnostic.severity))
      for (const line of text.split('\n')) progress.note(`  ${line}`);
  };
  return { onEvent: say, errors, changes: () => changes };
};

import { Failure } from '../../common/failure.ts';
import { chooseEngine, type EngineAnswer, type EngineName } from '../../kind/cluster/engine.ts';
import type { Finding } from '../doctor.ts';

/** What `doctor` says of container engines, by their answers. */
export const engineFinding = (answers: ReadonlyMap<EngineName, EngineAnswer>): Finding => {
  const what = 'engine for kind';
  const working = [...answers].flatMap(([name, answer]) =>
    answer.kind === 'answers' ? [`${name} ${answer.version}`] : [],
  );
  if (working.length > 0) return { what, state: 'ok', detail: working.join(', ') };
  try {
    chooseEngine(answers, undefined);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { got, next } = error.parts;
    return { what, state: 'optional', detail: `${got}; only platform kind needs one`, next };
  }
  return { what, state: 'optional', detail: 'none' };
};

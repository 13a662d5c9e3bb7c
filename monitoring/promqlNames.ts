/** `{status=~"a|b"}`: one of the conditions of a selector. */
export interface Matcher {
  readonly metric: string;
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

/** What a PromQL expression calls by name. */
export interface PromqlNames {
  readonly metrics: readonly string[];
  readonly matchers: readonly Matcher[];
  /** Labels that series are grouped or matched by. */
  readonly groupedBy: readonly string[];
}

const aggregations = ['sum', 'min', 'max', 'avg', 'group', 'count', 'count_values', 'topk', 'bottomk', 'quantile'];
const withLabels = ['by', 'without', 'on', 'ignoring', 'group_left', 'group_right'];
const words = [...aggregations, ...withLabels, 'and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan'];

const token = /"(?:[^"\\]|\\.)*"|\[[^\]]*\]|=~|!~|!=|[A-Za-z_:][\w:]*|[^\s]/g;
const isName = (text: string | undefined): text is string => text !== undefined && /^[A-Za-z_:]/.test(text);
const isWord = (name: string): boolean => words.includes(name.toLowerCase());

/** Reads names only: whether the expression is one is for Prometheus to say. */
export const promqlNames = (expression: string): PromqlNames => {
  const tokens = expression.match(token) ?? [];
  const metrics = new Set<string>();
  const matchers: Matcher[] = [];
  const groupedBy = new Set<string>();
  for (let at = 0; at < tokens.length; at += 1) {
    const name = tokens[at];
    if (!isName(name)) continue;
    const next = tokens[at + 1];
    if (withLabels.includes(name) && next === '(') {
      for (at += 2; at < tokens.length && tokens[at] !== ')'; at += 1) {
        const label = tokens[at];
        if (isName(label)) groupedBy.add(label);
      }
    } else if (!isWord(name) && next !== '(') {
      metrics.add(name);
      if (next !== '{') continue;
      for (at += 2; at < tokens.length && tokens[at] !== '}'; at += 1) {
        const label = tokens[at];
        if (!isName(label)) continue;
        const [operator = '', quoted = '""'] = tokens.slice(at + 1, at + 3);
        matchers.push({ metric: name, label, operator, value: quoted.slice(1, -1) });
        at += 2;
      }
    }
  }
  return { metrics: [...metrics], matchers, groupedBy: [...groupedBy] };
};

import { isMap, isSeq, parseDocument } from 'yaml';
import { UsageFailure } from '../common/failure.ts';
import { settingsNamespace } from '../infra/settings.ts';

const setting = `${settingsNamespace}:hollowNodes`;

/**
 * The text of a stack file with another number of nodes in a group; comments and all else stay.
 * @throws UsageFailure where there is no such group
 */
export const scaledStackFile = (text: string, path: string, group: string, count: number): string => {
  const document = parseDocument(text);
  const groups = document.getIn(['config', setting]);
  const found = isSeq(groups) ? groups.items.filter(isMap) : [];
  const wanted = found.find((item) => item.get('name') === group);
  if (wanted === undefined) {
    const names = found.map((item) => String(item.get('name'))).join(', ');
    throw new UsageFailure({
      tried: `scale the hollow nodes '${group}'`,
      got: `${path} has no group of that name; it has: ${names || 'no group'}`,
      next: `name one of those, or add one to ${setting} (docs/hollow-nodes.md)`,
    });
  }
  wanted.set('count', count);
  return document.toString({ lineWidth: 0 });
};

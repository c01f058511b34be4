/** Which components a Flow of some version has: the guard's catalogue knows when each came. */
import { catalogueOf } from '../../../flows/guard/components.ts';
import { formatVersion, NEWEST } from '../../../flows/guard/versions.ts';

const NEWEST_COMPONENTS = catalogueOf(NEWEST);

/** Why this Flow's client would not draw the component; undefined for one that it draws. */
export function whyUnknown(type: string, flowVersion: number): string | undefined {
  const kind = NEWEST_COMPONENTS.get(type);
  if (!kind) return 'The playground does not know this component.';
  const { since = 0 } = kind;
  if (flowVersion === 0 || flowVersion >= since) return undefined;
  return `It came with Flow JSON ${formatVersion(since)}; this Flow is ${formatVersion(flowVersion)}.`;
}

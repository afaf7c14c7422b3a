/** The time zone by which the person wants times; undefined: the browser's. */
import { createContext } from 'react';

export const ZoneContext = createContext<string | undefined>(undefined);

/** The zone, if this browser knows it: another one's list may be newer. */
export function knownZone(name: string | null): string | undefined {
  if (name === null) return undefined;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return name;
  } catch {
    return undefined;
  }
}

/** All zones that can be chosen, and `extra` although this browser may not list it. */
export function zones(extra: string | null): string[] {
  const known = Intl.supportedValuesOf('timeZone');
  return extra === null || known.includes(extra) ? known : [...known, extra].sort();
}

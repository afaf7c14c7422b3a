/** What lists of rooms, folders and spaces have in common: they change together. */
import type { QueryClient } from '@tanstack/react-query';

export const REFRESH_MS = 20_000;

/** How a list stays true while it is shown: others change it, too. */
export const LIVE_LIST = { refetchInterval: REFRESH_MS, refetchOnWindowFocus: 'always' } as const;

export const listKey = {
  rooms: (which: string) => ['rooms', which] as const,
  room: (id: string) => ['room', id] as const,
  spaces: ['spaces'] as const,
  space: (id: string) => ['space', id] as const,
  members: (space: string) => ['members', space] as const,
};

/** Asks anew for every list that is shown, after something was made, moved, renamed or trashed. */
export function refreshLists(queries: QueryClient): Promise<unknown> {
  const keys = ['rooms', 'spaces', 'space'];
  return queries.invalidateQueries({ predicate: ({ queryKey }) => keys.includes(String(queryKey[0])) });
}

/** Whether a call went well; what went wrong has been said by then. */
export function wentWell(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}

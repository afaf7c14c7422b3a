import { useSyncExternalStore } from 'react';

export const PHONE = '(max-width: 47.99em)';
export const NARROW = '(max-width: 61.99em)';

/** Whether a media query holds; right from the first render. */
export function useMediaFlag(query: string): boolean {
  return useSyncExternalStore(
    (changed) => {
      const list = window.matchMedia(query);
      list.addEventListener('change', changed);
      return () => list.removeEventListener('change', changed);
    },
    () => window.matchMedia(query).matches,
  );
}

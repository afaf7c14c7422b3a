/** Awaiting what may never answer. */
import type { Clock } from './types';

/** The result, or null if it fails or takes longer than `ms`. Never rejects. */
export function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<{ readonly is: T } | null> {
  return new Promise((resolve) => {
    const timer = clock.setTimeout(() => resolve(null), ms);
    const answer = (result: { readonly is: T } | null): void => {
      clock.clearTimeout(timer);
      resolve(result);
    };
    work.then((is) => answer({ is }), () => answer(null));
  });
}

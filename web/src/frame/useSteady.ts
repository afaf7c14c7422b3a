import { useEffect, useState } from 'react';
import type { SaveState } from '../sync';
import { steady, type Shown, type Steady } from './steady';

export function useSteady(save: SaveState): Shown {
  const [held, setHeld] = useState<Steady>({ shown: save, sinceMs: 0 });
  const [again, setAgain] = useState(0);
  useEffect(() => {
    const { next, againMs } = steady(held, save, Date.now());
    if (next.shown !== held.shown) setHeld(next);
    if (againMs === null) return;
    const timer = setTimeout(() => setAgain((count) => count + 1), againMs);
    return () => clearTimeout(timer);
  }, [save, held, again]);
  // A change without acknowledgement takes the tick away in this very frame.
  return held.shown.kind === 'saved' && save.kind !== 'saved' ? save : held.shown;
}

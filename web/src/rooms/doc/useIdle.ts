import { useEffect } from 'react';
import type { Awareness } from 'y-protocols/awareness';

const IDLE_MS = 120_000;
const SIGNS = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'focus'] as const;

/** Says of this session whether its person has done nothing for two minutes. */
export function useIdle(awareness: Awareness): void {
  useEffect(() => {
    let idle = false;
    let timer: ReturnType<typeof setTimeout>;
    const say = (now: boolean) => {
      if (idle === now) return;
      idle = now;
      awareness.setLocalStateField('idle', now);
    };
    const alive = () => {
      say(false);
      clearTimeout(timer);
      timer = setTimeout(() => say(true), IDLE_MS);
    };
    alive();
    SIGNS.forEach((sign) => window.addEventListener(sign, alive, { passive: true }));
    return () => {
      clearTimeout(timer);
      SIGNS.forEach((sign) => window.removeEventListener(sign, alive));
    };
  }, [awareness]);
}

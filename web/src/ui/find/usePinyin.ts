import { useEffect, useState } from 'react';
import type { Sounds } from './match';

/** Pinyin, once letters were typed that might be some. */
export function usePinyin(typed: string): Sounds | null {
  const [sounds, setSounds] = useState<Sounds | null>(null);
  const wanted = /[a-z]/i.test(typed);
  useEffect(() => {
    if (!wanted) return;
    let current = true;
    void import('./pinyin').then((module) => current && setSounds(() => module.sounds));
    return () => {
      current = false;
    };
  }, [wanted]);
  return sounds;
}

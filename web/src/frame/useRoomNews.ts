/** What a person must hear about a room: saving failed, went offline, works again; rights changed. */
import { useEffect, useRef, useState } from 'react';
import { useWords } from '../i18n/hooks';
import type { Right, RoomState, SaveState } from '../sync';
import { toast } from '../ui/toast';
import { mayWrite } from './SaveIndicator';

/** The sentence for screen readers; also shows `save.back` once after trouble. */
export function useSaveNews(save: SaveState): string {
  const { t } = useWords();
  const [said, setSaid] = useState('');
  const trouble = useRef(false);
  useEffect(() => {
    switch (save.kind) {
      case 'failed':
        if (save.reason !== 'refused') trouble.current = true;
        setSaid(t('save.failed'));
        return;
      case 'offline':
        if (save.count > 0) trouble.current = true;
        setSaid(t('save.offline'));
        return;
      case 'saved':
        if (trouble.current) {
          trouble.current = false;
          toast({ message: t('save.back') });
        }
        setSaid('');
        return;
      case 'connecting':
      case 'saving':
        return;
    }
  }, [save, t]);
  return said;
}

export type RightNews = 'lost' | 'gained' | null;

/** Whether the right to write was taken or given while the object was open. */
export function useRightNews({ phase, right }: Pick<RoomState, 'phase' | 'right'>): {
  news: RightNews;
  dismiss: () => void;
} {
  const [news, setNews] = useState<RightNews>(null);
  const before = useRef<Right | null>(null);
  useEffect(() => {
    if (phase !== 'ready') return;
    const had = before.current;
    before.current = right;
    if (had === null || mayWrite(had) === mayWrite(right)) return;
    setNews(mayWrite(right) ? 'gained' : 'lost');
  }, [phase, right]);
  return { news, dismiss: () => setNews(null) };
}

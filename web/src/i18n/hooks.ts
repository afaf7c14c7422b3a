import { useCallback, useContext, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useNow } from '../ui/useNow';
import { faultText, type FaultLike } from './faults';
import type { Language } from './index';
import { formatMoney } from './money';
import { formatFull, formatWait, formatWhen, type Translate } from './time';
import { ZoneContext } from './zone';

export interface Words {
  t: Translate;
  language: Language;
  fault: (fault: FaultLike) => string;
  money: (minor: number | bigint) => string;
  full: (atMs: number) => string;
}

/** Everything a component needs to speak. */
export function useWords(): Words {
  const { t: translate, i18n } = useTranslation();
  const zone = useContext(ZoneContext);
  const language: Language = i18n.language === 'zh' ? 'zh' : 'en';
  return useMemo(() => {
    const t: Translate = (key, params) => String(translate(key, params));
    return {
      t,
      language,
      fault: (fault) => faultText(t, (key) => i18n.exists(key), fault, (ms) => formatWait(t, ms)),
      money: (minor) => formatMoney(language, minor),
      full: (atMs) => formatFull(language, atMs, zone),
    };
  }, [translate, i18n, language, zone]);
}

/** `formatWhen` that grows older by itself. */
export function useWhen(): (atMs: number) => string {
  const { t, language } = useWords();
  const zone = useContext(ZoneContext);
  const now = useNow(30_000);
  return useCallback(
    (atMs: number) => formatWhen(t, language, atMs, now, zone),
    [t, language, now, zone],
  );
}

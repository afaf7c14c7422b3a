/**
 * Languages: the browser's first, switchable, remembered in this browser.
 *
 * Keys are flat (`save.saved`); a counted phrase has `_one` and `_other`. Start at {@link startI18n}.
 */
import i18next, { type i18n } from 'i18next';
import { initReactI18next } from 'react-i18next';
import { en } from './en';
import { zh } from './zh';

export type Language = 'en' | 'zh';
export const LANGUAGES: { id: Language; name: string }[] = [
  { id: 'zh', name: '中文' },
  { id: 'en', name: 'English' },
];

const STORED = 'weft.language';

/** Value of `<html lang>`. */
export function htmlLang(language: Language): string {
  return language === 'zh' ? 'zh-Hans' : 'en';
}

/** Tag for `Intl`. */
export function intlTag(language: Language): string {
  return language === 'zh' ? 'zh-CN' : 'en-US';
}

/** The first of `wanted` that we speak, else English. */
export function pickLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const primary = tag.toLowerCase().split('-')[0];
    if (primary === 'zh') return 'zh';
    if (primary === 'en') return 'en';
  }
  return 'en';
}

function storedLanguage(): Language | null {
  try {
    const value = localStorage.getItem(STORED);
    return value === 'en' || value === 'zh' ? value : null;
  } catch {
    return null;
  }
}

function applyToPage(language: Language): void {
  document.documentElement.lang = htmlLang(language);
}

export function startI18n(): i18n {
  const language = storedLanguage() ?? pickLanguage(navigator.languages);
  void i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: 'en',
    resources: { en: { translation: en }, zh: { translation: zh } },
    keySeparator: false,
    nsSeparator: false,
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  applyToPage(language);
  return i18next;
}

export function currentLanguage(): Language {
  return i18next.language === 'zh' ? 'zh' : 'en';
}

export function switchLanguage(language: Language): void {
  try {
    localStorage.setItem(STORED, language);
  } catch {
    // A browser without storage forgets the choice; the page still switches.
  }
  applyToPage(language);
  void i18next.changeLanguage(language);
}

import { SegmentedControl } from '@mantine/core';
import { useWords } from '../i18n/hooks';
import { LANGUAGES, switchLanguage, type Language } from '../i18n';

export function LanguageSwitch() {
  const { t, language } = useWords();
  return (
    <SegmentedControl
      size="xs"
      aria-label={t('shell.language')}
      value={language}
      onChange={(value) => switchLanguage(value as Language)}
      data={LANGUAGES.map(({ id, name }) => ({ value: id, label: name }))}
    />
  );
}

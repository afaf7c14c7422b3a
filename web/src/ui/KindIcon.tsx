import { IconFileText, IconToolsKitchen2, type TablerIcon } from '@tabler/icons-react';
import type { Kind } from '../api/types';
import { useWords } from '../i18n/hooks';

const ICONS: Record<Kind, TablerIcon> = { doc: IconFileText, order: IconToolsKitchen2 };

/** `named`: read out; otherwise the text beside it says what it is. */
export function KindIcon({ kind, size = 18, named = false }: { kind: Kind; size?: number; named?: boolean }) {
  const { t } = useWords();
  const Icon = ICONS[kind];
  return (
    <Icon
      size={size}
      stroke={1.5}
      style={{ flex: 'none' }}
      {...(named ? { role: 'img', 'aria-label': t(`kind.${kind}`) } : { 'aria-hidden': true })}
    />
  );
}

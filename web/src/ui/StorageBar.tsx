/** What a space holds of what it may hold. */
import { Progress, Text } from '@mantine/core';
import { formatBytes } from '../i18n/faults';
import { useWords } from '../i18n/hooks';
import { fillOf, type Fill } from './quota';

interface Props {
  used: number;
  /** Null: unlimited. */
  quota: number | null;
}

const COLOR: Readonly<Record<Fill['is'], string>> = {
  roomy: 'var(--weft-link)',
  nearly_full: 'var(--weft-warn)',
  full: 'var(--weft-error)',
};

/** A line, and a bar if there is a quota. */
export function StorageBar({ used, quota }: Props) {
  const { t } = useWords();
  if (quota === null) {
    return (
      <Text span fz={12} c="dimmed">
        {t('storage.used', { used: formatBytes(used) })}
      </Text>
    );
  }
  const { percent, is } = fillOf(used, quota);
  const said = t('storage.used_of', { used: formatBytes(used), quota: formatBytes(quota) });
  return (
    <span data-testid="storage-bar" data-is={is}>
      <Text span fz={12} c={is === 'roomy' ? 'dimmed' : COLOR[is]}>
        {is === 'roomy' ? said : `${said} · ${t(`storage.word_${is}`)}`}
      </Text>
      <Progress component="span" display="flex" mt={4} size={6} value={percent} color={COLOR[is]} aria-label={said} />
    </span>
  );
}

/** The same, and what to do when there is little room, for those who manage the space. */
export function StorageOfSpace({ used, quota }: Props) {
  const { t } = useWords();
  const is = quota === null ? 'roomy' : fillOf(used, quota).is;
  return (
    <div>
      <StorageBar used={used} quota={quota} />
      <Text fz={12} mt={4} c="dimmed">
        {is === 'roomy' ? t('storage.hint') : t(`storage.${is}`)}
      </Text>
    </div>
  );
}

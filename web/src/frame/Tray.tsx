/** Changes of mine that will not be saved by themselves: nothing typed is thrown away silently. */
import { Button, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { useWords } from '../i18n/hooks';
import type { Room, TrayItem } from '../sync';
import { copyText } from '../ui/clipboard';
import { toastError } from '../ui/toast';
import classes from './SaveIndicator.module.css';

export function Tray({ room, items }: { room: Room; items: readonly TrayItem[] }) {
  const { t } = useWords();
  return (
    <section aria-label={t('save.tray_title')} data-testid="tray">
      <Text fw={600} mb={4}>
        {t('save.tray_title')}
      </Text>
      <ul className={classes.tray}>
        {items.map((item) => (
          <TrayRow key={item.id} room={room} item={item} />
        ))}
      </ul>
    </section>
  );
}

function TrayRow({ room, item }: { room: Room; item: TrayItem }) {
  const { t, fault } = useWords();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    if (await copyText(item.text)) setCopied(true);
    else toastError(t('share.copy_failed'));
  };
  return (
    <li className={classes.item}>
      <div className={classes.text} tabIndex={0}>
        {item.text === '' ? <Text c="dimmed">{t('save.tray_empty')}</Text> : item.text}
      </div>
      <Text fz={12} mt={4} c="var(--weft-error)">
        {t('save.refused', { reason: fault(item.reason) })}
      </Text>
      <Group gap={8} mt={8}>
        {item.text !== '' && (
          <Button size="compact-sm" variant="default" onClick={() => void copy()}>
            {copied ? t('save.tray_copied') : t('action.copy')}
          </Button>
        )}
        {item.canRetry && (
          <Button size="compact-sm" variant="default" onClick={() => room.retryTrayItem(item.id)}>
            {t('action.retry')}
          </Button>
        )}
        <Button
          size="compact-sm"
          variant="subtle"
          color="red"
          onClick={() => room.discardTrayItem(item.id)}
        >
          {t('action.discard')}
        </Button>
      </Group>
    </li>
  );
}

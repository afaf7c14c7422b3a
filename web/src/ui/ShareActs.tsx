/** Who changed whose rights to a room: asked for when it is opened. */
import { Stack } from '@mantine/core';
import { useId, useState } from 'react';
import { useWords } from '../i18n/hooks';
import { ActList } from './ActList';
import { ShareFold } from './ShareFold';

export function ShareActs({ room }: { room: string }) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  const id = useId();
  return (
    <Stack gap={8}>
      <ShareFold open={open} onToggle={() => setOpen(!open)} shows={id}>
        {t('audit.room')}
      </ShareFold>
      <div id={id}>{open && <ActList of={{ of: 'room', id: room }} label={t('audit.room')} />}</div>
    </Stack>
  );
}

/** Who changed whose rights to a room: asked for when it is opened. */
import { Stack, UnstyledButton } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { useId, useState } from 'react';
import { useWords } from '../i18n/hooks';
import { ActList } from './ActList';
import classes from './Share.module.css';

export function ShareActs({ room }: { room: string }) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  const id = useId();
  return (
    <Stack gap={8}>
      <UnstyledButton
        className={classes.who}
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        <IconChevronDown size={16} stroke={1.5} aria-hidden="true" data-open={open || undefined} />
        {t('audit.room')}
      </UnstyledButton>
      <div id={id}>{open && <ActList of={{ of: 'room', id: room }} label={t('audit.room')} />}</div>
    </Stack>
  );
}

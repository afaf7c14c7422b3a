/** Pages that stand in the place of content. Never an empty editor. */
import { Button, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useWords } from '../i18n/hooks';
import type { FaultLike } from '../i18n/faults';
import classes from './PageState.module.css';

interface Props {
  title: string;
  hint?: ReactNode;
  code?: string;
  children?: ReactNode;
}

export function PageState({ title, hint, code, children }: Props) {
  const { t } = useWords();
  return (
    <Stack className={classes.state} align="center" gap={12} role="status">
      <Title order={1} fz={18} fw={600} ta="center">
        {title}
      </Title>
      {hint !== undefined && (
        <Text c="dimmed" ta="center" maw={420}>
          {hint}
        </Text>
      )}
      {children}
      {code !== undefined && (
        <Text fz={12} c="dimmed">
          {t('error.code', { code })}
        </Text>
      )}
    </Stack>
  );
}

export function LoadFailed({ fault, onAgain }: { fault: FaultLike; onAgain: () => void }) {
  const words = useWords();
  const own = fault.code === 'room_unavailable' || fault.code === 'silent';
  return (
    <PageState
      title={words.t('room.load_failed')}
      hint={own ? undefined : words.fault(fault)}
      code={fault.code}
    >
      <Button onClick={onAgain}>{words.t('action.again')}</Button>
    </PageState>
  );
}

export function HomeLink() {
  const { t } = useWords();
  return (
    <Button component={Link} to="/home" variant="default">
      {t('action.home')}
    </Button>
  );
}

/** The page around every form that somebody meets before being signed in. */
import { Group, Paper, Stack, Text, Title } from '@mantine/core';
import type { FormEvent, KeyboardEvent, ReactNode } from 'react';
import { useWords } from '../i18n/hooks';
import { isImeKey } from '../ui/ime';
import { LanguageSwitch } from '../ui/LanguageSwitch';
import { Logo } from '../ui/Logo';
import { usePageTitle } from '../ui/usePageTitle';
import classes from './AuthFrame.module.css';

interface Props {
  title: string;
  lead?: ReactNode;
  onSubmit?: () => void;
  children?: ReactNode;
}

export function AuthFrame({ title, lead, onSubmit, children }: Props) {
  const { t } = useWords();
  usePageTitle(title);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit?.();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && isImeKey(event.nativeEvent)) event.preventDefault();
  };
  return (
    <div className={classes.page}>
      <a className="skip-link" href="#main">
        {t('shell.skip')}
      </a>
      <header className={classes.top}>
        <Group gap={8}>
          <Logo />
          <Text fw={600} fz={18} component="span">
            Weft
          </Text>
        </Group>
        <LanguageSwitch />
      </header>
      <main id="main" tabIndex={-1} className={classes.main}>
        <Paper className={classes.card} radius="md">
          <form onSubmit={submit} onKeyDown={onKeyDown} noValidate>
            <Stack gap={16}>
              <div>
                <Title order={1} fz={24}>
                  {title}
                </Title>
                {lead !== undefined && (
                  <Text c="dimmed" mt={4} component="div">
                    {lead}
                  </Text>
                )}
              </div>
              {children}
            </Stack>
          </form>
        </Paper>
      </main>
    </div>
  );
}

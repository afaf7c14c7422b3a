/** The audit log of a space, for those who govern it. */
import { Text, Title } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { asApiError } from '../api/client';
import { mayGovern, useSpaces } from '../api/spaces';
import { useWords } from '../i18n/hooks';
import { ActList } from '../ui/ActList';
import { HomeLink, LoadFailed, PageState } from '../ui/PageState';
import { usePageTitle } from '../ui/usePageTitle';
import classes from './List.module.css';
import { ListSkeleton } from './RoomList';
import { SpaceCrumb } from './SpaceCrumb';

export function AuditPage() {
  const { t } = useWords();
  const { id } = useParams({ strict: false }) as { id: string };
  const spaces = useSpaces();
  const space = spaces.data?.spaces.find((one) => one.id === id);
  usePageTitle(t('audit.title'));
  return (
    <main id="main" tabIndex={-1} className={classes.page}>
      {spaces.isPending && <ListSkeleton />}
      {spaces.isError && spaces.data === undefined && (
        <LoadFailed fault={asApiError(spaces.error)} onAgain={() => void spaces.refetch()} />
      )}
      {spaces.data !== undefined && (space === undefined || !mayGovern(space)) && (
        <PageState title={t('room.not_found')} hint={t('room.not_found_hint')}>
          <HomeLink />
        </PageState>
      )}
      {space !== undefined && mayGovern(space) && (
        <>
          <SpaceCrumb space={space} />
          <header className={classes.header}>
            <Title order={1} fz={24}>
              {t('audit.title')}
            </Title>
          </header>
          <Text c="dimmed" mb={16}>
            {t('audit.space_lead')}
          </Text>
          <ActList of={{ of: 'space', id: space.id }} label={t('audit.title')} />
        </>
      )}
    </main>
  );
}

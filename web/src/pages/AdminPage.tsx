/** For administrators: who may come in. */
import { Title } from '@mantine/core';
import { useMe } from '../app/session';
import { useWords } from '../i18n/hooks';
import { usePageTitle } from '../ui/usePageTitle';
import { AuditLog } from './AuditLog';
import { NotFoundPage } from './NotFoundPage';
import { Section } from './Section';
import classes from './Settings.module.css';
import { SharingSettings } from './SharingSettings';
import { WorkspaceInvites } from './WorkspaceInvites';

export function AdminPage() {
  const { t } = useWords();
  const user = useMe().data?.user;
  usePageTitle(t('admin.title'));
  if (user === undefined) return null;
  if (!user.admin) return <NotFoundPage />;
  return (
    <main id="main" tabIndex={-1} className={classes.page}>
      <Title order={1} fz={24} mb={24}>
        {t('admin.title')}
      </Title>
      <Section title={t('admin.invite')} lead={t('admin.invite_lead')}>
        <WorkspaceInvites />
      </Section>
      <Section title={t('sharing.title')}>
        <SharingSettings />
      </Section>
      <Section title={t('audit.title')} lead={t('audit.lead')}>
        <AuditLog />
      </Section>
    </main>
  );
}

/** Whether mail leaves the server, how that goes, and a letter to try it. */
import { Button, Skeleton, Stack, Text } from '@mantine/core';
import { useMailState, useTestMail } from '../../api/administration';
import { asApiError } from '../../api/client';
import type { MailState } from '../../api/types';
import { useMe } from '../../app/session';
import { useWhen, useWords } from '../../i18n/hooks';
import { FaultAlert } from '../../ui/FaultAlert';
import { toast } from '../../ui/toast';
import { Section } from '../Section';
import { Facts } from './Facts';

export function MailSection() {
  const { t } = useWords();
  const state = useMailState();
  if (state.data === undefined) {
    return (
      <Section title={t('admin.mail')}>
        {state.isPending ? (
          <Skeleton className="late" height={56} />
        ) : (
          <FaultAlert fault={asApiError(state.error)} />
        )}
      </Section>
    );
  }
  return (
    <Section title={t('admin.mail')} lead={t(state.data.mail ? 'admin.mail_lead' : 'admin.mail_off')}>
      {state.data.mail && <MailFacts state={state.data} />}
    </Section>
  );
}

function MailFacts({ state }: { state: Extract<MailState, { mail: true }> }) {
  const { t } = useWords();
  const when = useWhen();
  const email = useMe().data?.user.email ?? null;
  const test = useTestMail();
  const send = () =>
    test.mutate(undefined, {
      onSuccess: () => toast({ message: t('admin.mail_tested', { email: email ?? '' }) }),
    });
  return (
    <Stack gap={16} align="flex-start">
      <Facts
        answer={{ data: state, error: null, isPending: false }}
        rows={({ server, from, waiting, sent, failed, sent_at, failure }) => [
          [t('admin.mail_server'), server],
          [t('admin.mail_from'), from],
          [
            t('admin.mail_sent'),
            sent_at === null ? String(sent) : t('admin.mail_sent_at', { sent, time: when(sent_at) }),
          ],
          [t('admin.mail_waiting'), String(waiting)],
          [t('admin.mail_failed'), String(failed)],
          ...(failure === null
            ? []
            : [
                [
                  t('admin.mail_failure'),
                  <Text key="why" span c="var(--weft-error)">
                    {`${when(failure.at)}: ${failure.why}`}
                  </Text>,
                ] as [string, React.ReactNode],
              ]),
        ]}
      />
      {email === null ? (
        <Text c="dimmed">{t('admin.mail_no_address')}</Text>
      ) : (
        <Button variant="default" loading={test.isPending} onClick={send}>
          {t('admin.mail_test', { email })}
        </Button>
      )}
      <FaultAlert fault={test.error === null ? null : asApiError(test.error)} />
    </Stack>
  );
}

/** How often mail tells of what one has not read. */
import { SegmentedControl, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useChangeProfile } from '../api/account';
import { asApiError } from '../api/client';
import type { Digest, User } from '../api/types';
import { useApi } from '../app/services';
import { useWords } from '../i18n/hooks';
import { toastError } from '../ui/toast';
import { Section } from './Section';

const CHOICES: Digest[] = ['off', 'hourly', 'daily'];

/** Nothing where no mail leaves the server. */
export function DigestChoice({ user }: { user: User }) {
  const { t, fault } = useWords();
  const api = useApi();
  const setup = useQuery({ queryKey: ['setup'], queryFn: api.setupNeeded, retry: false });
  const change = useChangeProfile();
  const choose = useMutation({
    mutationFn: (digest: Digest) => change({ digest }),
    onError: (error) => toastError(fault(asApiError(error))),
  });
  if (setup.data?.mail !== true) return null;
  return (
    <Section title={t('digest.title')} lead={t('digest.lead')}>
      <SegmentedControl
        aria-label={t('digest.title')}
        value={choose.isPending ? choose.variables : user.digest}
        onChange={(value) => choose.mutate(value as Digest)}
        data={CHOICES.map((value) => ({ value, label: t(`digest.${value}`) }))}
      />
      {user.digest !== 'off' && !user.email_verified && (
        <Text c="var(--weft-warn)" mt={8}>
          {t('digest.unverified')}
        </Text>
      )}
    </Section>
  );
}

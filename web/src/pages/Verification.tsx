/** Whether mail to one's address arrives, as far as the server knows. */
import { Button, Group, Text } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { asApiError } from '../api/client';
import { useApi } from '../app/services';
import { useWords } from '../i18n/hooks';
import { toast, toastError } from '../ui/toast';

/** Nothing where no mail leaves the server: nobody could do anything about it. */
export function Verification({ verified }: { verified: boolean }) {
  const { t, fault } = useWords();
  const api = useApi();
  const setup = useQuery({ queryKey: ['setup'], queryFn: api.setupNeeded, retry: false });
  const send = useMutation({
    mutationFn: () => api.sendVerification(),
    onSuccess: () => toast({ message: t('verify.sent') }),
    onError: (error) => toastError(fault(asApiError(error))),
  });
  if (verified) {
    return (
      <Group gap={6} c="var(--weft-ok)">
        <IconCircleCheck size={18} stroke={1.5} aria-hidden="true" />
        <Text span>{t('verify.verified')}</Text>
      </Group>
    );
  }
  if (setup.data?.mail !== true) return null;
  return (
    <Group gap={12}>
      <Text span c="var(--weft-warn)">
        {t('verify.unverified')}
      </Text>
      <Button variant="default" loading={send.isPending} onClick={() => send.mutate()}>
        {t('verify.send_again')}
      </Button>
    </Group>
  );
}

/** Whether notices show on this device, also while Weft is closed. */
import { Switch, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ApiError } from '../api/client';
import { pushState, turnPushOff, turnPushOn } from '../app/push';
import { useApi } from '../app/services';
import { useWords } from '../i18n/hooks';
import { toastError } from '../ui/toast';
import { Section } from './Section';

const PUSH_KEY = ['push'] as const;

/** Nothing where the browser cannot do it. */
export function PushChoice() {
  const { t, fault } = useWords();
  const api = useApi();
  const queries = useQueryClient();
  const { data: state } = useQuery({ queryKey: PUSH_KEY, queryFn: () => pushState(api) });
  const turn = useMutation({
    mutationFn: (on: boolean) => (on ? turnPushOn(api) : turnPushOff(api)),
    onError: (error) => toastError(error instanceof ApiError ? fault(error) : t('push.failed')),
    onSettled: () => queries.invalidateQueries({ queryKey: PUSH_KEY }),
  });
  if (state === undefined || state === 'never') return null;
  return (
    <Section title={t('push.title')} lead={t('push.lead')}>
      {state === 'install' && <Text>{t('push.install')}</Text>}
      {state === 'blocked' && <Text c="var(--weft-warn)">{t('push.blocked')}</Text>}
      {(state === 'on' || state === 'off') && (
        <Switch
          label={t('push.on')}
          checked={turn.isPending ? turn.variables : state === 'on'}
          disabled={turn.isPending}
          onChange={(event) => turn.mutate(event.currentTarget.checked)}
        />
      )}
    </Section>
  );
}

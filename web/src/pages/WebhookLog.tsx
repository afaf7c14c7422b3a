/** What a webhook has sent, the last first: when, how often, and what came of it. */
import { Button, Code, Skeleton, Stack, Text } from '@mantine/core';
import { asApiError } from '../api/client';
import type { WebhookDelivery } from '../api/types';
import { useWebhookActs, useWebhookLog } from '../api/webhooks';
import { useWhen, useWords } from '../i18n/hooks';
import { FaultAlert } from '../ui/FaultAlert';
import { toast, toastError } from '../ui/toast';
import classes from './Settings.module.css';

export function WebhookLog({ space, id }: { space: string; id: string }) {
  const { t } = useWords();
  const log = useWebhookLog(space, id);
  const rows = log.data?.pages.flatMap((page) => page.deliveries) ?? [];
  return (
    <Stack gap={12} py={12} ps={16}>
      {log.isError && log.data === undefined && <FaultAlert fault={asApiError(log.error)} />}
      {log.isPending && <Skeleton className="late" height={56} />}
      {log.data !== undefined && rows.length === 0 && <Text c="dimmed">{t('webhooks.log_empty')}</Text>}
      <ul className={classes.list} data-testid="webhook-log">
        {rows.map((row) => (
          <Row key={row.id} space={space} id={id} row={row} />
        ))}
      </ul>
      {log.hasNextPage && (
        <Button
          variant="default"
          style={{ alignSelf: 'flex-start' }}
          loading={log.isFetchingNextPage}
          onClick={() => void log.fetchNextPage()}
        >
          {t('webhooks.more')}
        </Button>
      )}
    </Stack>
  );
}

/** A wait that is worth telling. */
const NAMED_WAIT_MS = 60_000;

const COLORS: Record<WebhookDelivery['state'], string> = {
  waiting: 'var(--weft-dim)',
  delivered: 'var(--weft-ok)',
  failed: 'var(--weft-error)',
};

function Row({ space, id, row }: { space: string; id: string; row: WebhookDelivery }) {
  const { t, fault, full } = useWords();
  const when = useWhen();
  const { again } = useWebhookActs(space);
  const { state, tries, status, took_ms: took, next_at: next } = row;
  const facts = [
    status === null ? null : t('webhooks.status', { status }),
    took === null ? null : t('webhooks.took', { count: took }),
    tries === 0 ? null : t('webhooks.tries', { count: tries }),
    next === null || next - (row.tried_at ?? next) < NAMED_WAIT_MS ? null : t('webhooks.next', { time: when(next) }),
  ];
  const onAgain = () =>
    again.mutate(
      { id, delivery: row.id },
      {
        onError: (error) => toastError(fault(asApiError(error))),
        onSuccess: () => toast({ message: t('webhooks.again_done') }),
      },
    );
  return (
    <li className={classes.row} data-state={state}>
      <span className={classes.text}>
        <Text span>{t(`webhooks.event.${row.event}`)}</Text>
        <Text span fz={12} c="dimmed">
          <span style={{ color: COLORS[state] }}>{t(`webhooks.state.${state}`)}</span>
          {' · '}
          <span title={full(row.at)}>{when(row.at)}</span>
          {facts.map((fact) => fact !== null && ` · ${fact}`)}
        </Text>
        {row.fault !== null && <Text span fz={12}>{t(`webhooks.fault.${row.fault}`)}</Text>}
        {row.fault !== null && row.answer !== null && row.answer !== '' && (
          <Code
            block
            tabIndex={0}
            role="region"
            aria-label={t('webhooks.answer')}
            mah={120}
            style={{ overflow: 'auto', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}
          >
            {row.answer}
          </Code>
        )}
      </span>
      <Button variant="subtle" loading={again.isPending} onClick={onAgain}>
        {t('webhooks.again')}
      </Button>
    </li>
  );
}

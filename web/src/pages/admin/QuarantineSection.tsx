/** Operations that made a room fail, and were set aside. */
import { Skeleton, Text } from '@mantine/core';
import { useQuarantined } from '../../api/administration';
import { asApiError } from '../../api/client';
import { formatBytes } from '../../i18n/faults';
import { useWhen, useWords } from '../../i18n/hooks';
import { FaultAlert } from '../../ui/FaultAlert';
import { Section } from '../Section';
import classes from '../Settings.module.css';

export function QuarantineSection() {
  const { t, full } = useWords();
  const when = useWhen();
  const kept = useQuarantined();
  return (
    <Section title={t('admin.quarantine')} lead={t('admin.quarantine_lead')}>
      {kept.isError && kept.data === undefined && <FaultAlert fault={asApiError(kept.error)} />}
      {kept.isPending && <Skeleton className="late" height={20} />}
      {kept.data?.length === 0 && <Text>{t('admin.quarantine_none')}</Text>}
      {kept.data !== undefined && kept.data.length > 0 && (
        <ul className={classes.list} aria-label={t('admin.quarantine')}>
          {kept.data.map((one) => (
            <li key={`${one.at} ${one.sha256}`} className={classes.row}>
              <span className={classes.text}>
                <Text span style={{ overflowWrap: 'anywhere' }} lineClamp={3}>
                  {one.why}
                </Text>
                <Text span fz={12} c="dimmed" title={full(one.at)} style={{ overflowWrap: 'anywhere' }}>
                  {[when(one.at), formatBytes(one.bytes), one.room].join(' · ')}
                </Text>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

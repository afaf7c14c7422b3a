/** Who may make an account. */
import { Radio, Skeleton, Stack, Text } from '@mantine/core';
import { useRegistration, useSetRegistration } from '../../api/administration';
import { asApiError } from '../../api/client';
import { REGISTRATIONS, type Registration } from '../../api/types';
import { useWords } from '../../i18n/hooks';
import { FaultAlert } from '../../ui/FaultAlert';
import { toast } from '../../ui/toast';
import { Section } from '../Section';
import classes from '../Settings.module.css';

export function RegistrationSection() {
  const { t } = useWords();
  const setting = useRegistration();
  const set = useSetRegistration();
  const choose = (wanted: Registration, before: Registration) =>
    set.mutate(wanted, {
      onSuccess: () => toast({ message: t('admin.registration_done'), undo: () => set.mutate(before) }),
    });
  const { data } = setting;
  const fault = set.error ?? (data === undefined ? setting.error : null);
  return (
    <Section title={t('admin.registration')}>
      {setting.isPending && <Skeleton className="late" height={88} />}
      {data !== undefined && (
        <Stack gap={12}>
          <Radio.Group
            aria-label={t('admin.registration')}
            value={set.isPending ? set.variables : data.registration}
            onChange={(value) => choose(value as Registration, data.registration)}
          >
            <Stack gap={12}>
              {REGISTRATIONS.map((mode) => (
                <Radio
                  key={mode}
                  value={mode}
                  classNames={{ radio: classes.radio ?? '' }}
                  label={t(`admin.registration.${mode}`)}
                  description={t(`admin.registration_hint.${mode}`)}
                  disabled={data.set_at_start}
                />
              ))}
            </Stack>
          </Radio.Group>
          {data.set_at_start && (
            <Text c="dimmed" role="note">
              {t('admin.registration_fixed')}
            </Text>
          )}
        </Stack>
      )}
      <FaultAlert fault={fault === null ? null : asApiError(fault)} />
    </Section>
  );
}

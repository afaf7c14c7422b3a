/** How much one space may hold, or all of which nothing else is said. */
import { Button, Group, NativeSelect, Radio, Stack, Switch, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useQuotaActs } from '../../api/administration';
import { asApiError } from '../../api/client';
import type { ListedSpace, Quotas, QuotaSet } from '../../api/types';
import { formatBytes } from '../../i18n/faults';
import { useWords } from '../../i18n/hooks';
import { Dialog } from '../../ui/Dialog';
import { FaultAlert } from '../../ui/FaultAlert';
import { inBytes, inUnits, UNITS, type Amount, type Unit } from '../../ui/quota';
import { toast } from '../../ui/toast';
import classes from '../Settings.module.css';

/** What a field shows that has not been filled in. */
const USUAL: Amount = { amount: '10', unit: 'GB' };

interface OneProps {
  space: ListedSpace;
  name: string;
  /** What holds if the space has none of its own; undefined: not known yet. */
  defaults: Quotas | undefined;
  opened: boolean;
  onClose: () => void;
}

export function SpaceQuotaDialog(props: OneProps) {
  const { t } = useWords();
  return (
    <Dialog title={t('quota.of', { name: props.name })} size={440} opened={props.opened} onClose={props.onClose}>
      <SpaceQuotaForm {...props} />
    </Dialog>
  );
}

function SpaceQuotaForm({ space, name, defaults, onClose }: OneProps) {
  const { t } = useWords();
  const { setOne } = useQuotaActs();
  const [set, setSet] = useState<QuotaSet>(space.quota_set);
  const [amount, setAmount] = useState(space.quota === null ? USUAL : inUnits(space.quota));
  const [wrong, setWrong] = useState(false);
  const usual = space.kind === 'gallery' ? null : defaults?.[space.kind];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const quota = set === 'bytes' ? inBytes(amount) : null;
    if (set === 'bytes' && quota === null) return setWrong(true);
    setOne.mutate(
      { space: space.id, set, quota },
      {
        onSuccess: () => {
          onClose();
          toast({ message: t('quota.done', { name }) });
        },
      },
    );
  };
  const radio = { classNames: { radio: classes.radio ?? '' } };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap={16}>
        <Radio.Group
          aria-label={t('quota.set')}
          value={set}
          onChange={(value) => {
            setSet(value as QuotaSet);
            setWrong(false);
          }}
        >
          <Stack gap={12}>
            <Radio
              {...radio}
              value="default"
              label={t('quota.default')}
              description={usual === undefined ? undefined : t('quota.default_is', { quota: quotaName(t, usual) })}
              data-autofocus
            />
            <Radio {...radio} value="unlimited" label={t('quota.unlimited')} description={t('quota.unlimited_hint')} />
            <Radio {...radio} value="bytes" label={t('quota.bytes')} />
          </Stack>
        </Radio.Group>
        {set === 'bytes' && <AmountField label={t('quota.amount')} value={amount} wrong={wrong} onChange={(value) => {
          setAmount(value);
          setWrong(false);
        }} />}
        <FaultAlert fault={setOne.error === null ? null : asApiError(setOne.error)} />
        <Buttons busy={setOne.isPending} onClose={onClose} />
      </Stack>
    </form>
  );
}

interface AllProps {
  quotas: Quotas;
  opened: boolean;
  onClose: () => void;
}

export function DefaultQuotasDialog(props: AllProps) {
  const { t } = useWords();
  return (
    <Dialog title={t('quota.defaults')} size={440} opened={props.opened} onClose={props.onClose}>
      <DefaultQuotasForm {...props} />
    </Dialog>
  );
}

const SORTS = ['team', 'personal'] as const;

function DefaultQuotasForm({ quotas, onClose }: AllProps) {
  const { t } = useWords();
  const { setAll } = useQuotaActs();
  const asField = (quota: number | null) => ({ on: quota !== null, amount: quota === null ? USUAL : inUnits(quota) });
  const [fields, setFields] = useState({ team: asField(quotas.team), personal: asField(quotas.personal) });
  const [wrong, setWrong] = useState(false);
  const bytes = (sort: (typeof SORTS)[number]) => (fields[sort].on ? inBytes(fields[sort].amount) : null);
  const isWrong = (sort: (typeof SORTS)[number]) => fields[sort].on && bytes(sort) === null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (SORTS.some(isWrong)) return setWrong(true);
    setAll.mutate(
      { team: bytes('team'), personal: bytes('personal') },
      {
        onSuccess: () => {
          onClose();
          toast({ message: t('quota.defaults_done') });
        },
      },
    );
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap={16}>
        {SORTS.map((sort) => (
          <Stack key={sort} gap={8}>
            <Switch
              label={t(`quota.limit_${sort}`)}
              checked={fields[sort].on}
              onChange={(event) => {
                setFields({ ...fields, [sort]: { ...fields[sort], on: event.currentTarget.checked } });
              }}
            />
            {fields[sort].on && (
              <AmountField
                label={t(`quota.${sort}_quota`)}
                value={fields[sort].amount}
                wrong={wrong && isWrong(sort)}
                onChange={(amount) => setFields({ ...fields, [sort]: { on: true, amount } })}
              />
            )}
          </Stack>
        ))}
        <FaultAlert fault={setAll.error === null ? null : asApiError(setAll.error)} />
        <Buttons busy={setAll.isPending} onClose={onClose} />
      </Stack>
    </form>
  );
}

interface AmountProps {
  label: string;
  value: Amount;
  wrong: boolean;
  onChange: (value: Amount) => void;
}

function AmountField({ label, value, wrong, onChange }: AmountProps) {
  const { t } = useWords();
  return (
    <Group gap={8} align="flex-start" wrap="nowrap">
      <TextInput
        style={{ flex: 1 }}
        label={label}
        value={value.amount}
        inputMode="decimal"
        autoComplete="off"
        error={wrong ? t('quota.bad_amount') : undefined}
        onChange={(event) => onChange({ ...value, amount: event.currentTarget.value })}
      />
      <NativeSelect
        w={96}
        label={t('quota.unit')}
        value={value.unit}
        data={[...UNITS]}
        onChange={(event) => onChange({ ...value, unit: event.currentTarget.value as Unit })}
      />
    </Group>
  );
}

function Buttons({ busy, onClose }: { busy: boolean; onClose: () => void }) {
  const { t } = useWords();
  return (
    <Group justify="flex-end" gap={8}>
      <Button variant="default" onClick={onClose}>
        {t('action.cancel')}
      </Button>
      <Button type="submit" loading={busy}>
        {t('action.save')}
      </Button>
    </Group>
  );
}

/** A quota in words; null: none. */
export function quotaName(t: (key: string) => string, quota: number | null): string {
  return quota === null ? t('quota.unlimited') : formatBytes(quota);
}

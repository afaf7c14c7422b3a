import { Button, TextInput } from '@mantine/core';
import { useRef, useState, type FormEvent, type ReactNode } from 'react';
import { useWords } from '../../i18n/hooks';
import type { Fault, OrderLineInput } from '../../sync';
import { FaultAlert } from '../../ui/FaultAlert';
import { isImeKey } from '../../ui/ime';
import {
  EMPTY_DRAFT,
  NAME_CHARS_MAX,
  readDraft,
  type DraftErrors,
  type LineDraft,
} from './lineForm';
import classes from './Order.module.css';

interface Props {
  initial?: LineDraft;
  submit: string;
  disabled?: boolean;
  /** Beside the button. */
  extra?: ReactNode;
  /** Empties the form at once; a refused line comes back into it. */
  onLine: (line: OrderLineInput) => Promise<Fault | null>;
}

export function LineForm({ initial = EMPTY_DRAFT, submit, disabled, extra, onLine }: Props) {
  const { t } = useWords();
  const [draft, setDraft] = useState(initial);
  const [errors, setErrors] = useState<DraftErrors>({});
  const [fault, setFault] = useState<Fault | null>(null);
  const nameField = useRef<HTMLInputElement>(null);

  const change = (field: keyof LineDraft, value: string) => {
    setDraft((before) => ({ ...before, [field]: value }));
    setErrors((before) => ({ ...before, [field]: undefined }));
  };
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (disabled === true) return;
    const read = readDraft(draft);
    setFault(null);
    if ('errors' in read) return setErrors(read.errors);
    const sent = draft;
    setErrors({});
    setDraft(EMPTY_DRAFT);
    nameField.current?.focus();
    void onLine(read.line).then((refused) => {
      if (refused === null) return;
      setFault(refused);
      setDraft((now) => (now.name === '' && now.price === '' ? sent : now));
    });
  };
  const words = (key: string | undefined) => (key === undefined ? undefined : t(key));

  return (
    <form
      className={classes.form}
      onSubmit={send}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && isImeKey(event.nativeEvent)) event.preventDefault();
      }}
      noValidate
    >
      <TextInput
        ref={nameField}
        className={classes.formName}
        label={t('order.name')}
        value={draft.name}
        maxLength={NAME_CHARS_MAX}
        error={words(errors.name)}
        onChange={(event) => change('name', event.currentTarget.value)}
        autoComplete="off"
        name="line-name"
        data-autofocus
      />
      <TextInput
        className={classes.formPrice}
        label={t('order.price')}
        leftSection="¥"
        inputMode="decimal"
        value={draft.price}
        error={words(errors.price)}
        onChange={(event) => change('price', event.currentTarget.value)}
        autoComplete="off"
        name="line-price"
      />
      <TextInput
        className={classes.formStock}
        label={t('order.stock_optional')}
        inputMode="numeric"
        value={draft.stock}
        error={words(errors.stock)}
        onChange={(event) => change('stock', event.currentTarget.value)}
        autoComplete="off"
        name="line-stock"
      />
      <div className={classes.formButtons}>
        {extra}
        <Button type="submit" disabled={disabled === true}>
          {submit}
        </Button>
      </div>
      <div className={classes.formFault}>
        <FaultAlert fault={fault} />
      </div>
    </form>
  );
}

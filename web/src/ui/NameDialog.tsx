/** Asks for a name: of something new, or a new one. */
import { Button, Group, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useWords } from '../i18n/hooks';
import { Dialog } from './Dialog';
import { isImeKey } from './ime';

export interface NameDialogProps {
  title: string;
  label: string;
  /** A verb. */
  yes: string;
  name: string;
  /** In characters. */
  max: number;
  /** Shown in the empty field; with it the name may stay empty. */
  placeholder?: string;
  opened: boolean;
  onClose: () => void;
  /** False: it was refused, and the name stays to be changed. */
  onName: (name: string) => Promise<boolean>;
}

export function NameDialog(props: NameDialogProps) {
  const { t } = useWords();
  const { placeholder } = props;
  const [name, setName] = useState(props.name);
  const [missing, setMissing] = useState(false);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    const wanted = name.trim();
    if (wanted === '' && placeholder === undefined) return setMissing(true);
    setBusy(true);
    const done = await props.onName(wanted);
    setBusy(false);
    if (done) props.onClose();
  };
  return (
    <Dialog title={props.title} size={440} opened={props.opened} onClose={props.onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <TextInput
          aria-label={props.label}
          {...(placeholder === undefined ? {} : { placeholder })}
          value={name}
          maxLength={props.max}
          error={missing ? t('field.required') : undefined}
          data-autofocus
          autoComplete="off"
          onFocus={(event) => event.currentTarget.select()}
          onChange={(event) => {
            setName(event.currentTarget.value);
            setMissing(false);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && isImeKey(event.nativeEvent)) event.preventDefault();
          }}
        />
        <Group justify="flex-end" mt={24} gap={8}>
          <Button variant="default" onClick={props.onClose}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={busy}>
            {props.yes}
          </Button>
        </Group>
      </form>
    </Dialog>
  );
}

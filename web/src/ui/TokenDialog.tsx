/** Makes an access token, and shows it once. */
import {
  Button,
  Checkbox,
  Group,
  NativeSelect,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { useRef, useState, type FormEvent } from 'react';
import { asApiError } from '../api/client';
import { TOKEN_DAYS, TOKEN_DAYS_DEFAULT, useTokenActs } from '../api/tokens';
import { SCOPES, type Scope } from '../api/types';
import { useWords } from '../i18n/hooks';
import { copyText } from './clipboard';
import { Dialog } from './Dialog';
import { FaultAlert } from './FaultAlert';
import { toast, toastError } from './toast';

const NAME_CHARS_MAX = 64;

interface Props {
  opened: boolean;
  onClose: () => void;
}

export function TokenDialog({ opened, onClose }: Props) {
  const { t } = useWords();
  return (
    <Dialog
      title={t('tokens.new')}
      size={520}
      opened={opened}
      onClose={onClose}
      // One slip beside the dialog must not cost a token that is shown once.
      closeOnClickOutside={false}
    >
      <TokenForm onClose={onClose} />
    </Dialog>
  );
}

function TokenForm({ onClose }: { onClose: () => void }) {
  const { t } = useWords();
  const { create } = useTokenActs();
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<Scope[]>(['read']);
  const [days, setDays] = useState<number | null>(TOKEN_DAYS_DEFAULT);
  const [tried, setTried] = useState(false);
  const nameField = useRef<HTMLInputElement>(null);
  if (create.data !== undefined) return <FreshToken token={create.data.token} onClose={onClose} />;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (name.trim() === '') nameField.current?.focus();
    else if (scopes.length > 0) create.mutate({ name: name.trim(), scopes, days });
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap={16}>
        <TextInput
          ref={nameField}
          label={t('tokens.name')}
          description={t('tokens.name_hint')}
          value={name}
          maxLength={NAME_CHARS_MAX}
          data-autofocus
          autoComplete="off"
          error={tried && name.trim() === '' ? t('field.required') : undefined}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Checkbox.Group
          label={t('tokens.scopes')}
          value={scopes}
          onChange={(values) => setScopes(values as Scope[])}
          error={tried && scopes.length === 0 ? t('tokens.scopes_missing') : undefined}
        >
          <Stack gap={12} mt={8} mb={4}>
            {SCOPES.map((scope) => (
              <Checkbox
                key={scope}
                value={scope}
                label={t(`tokens.scope.${scope}`)}
                description={t(`tokens.scope_hint.${scope}`)}
              />
            ))}
          </Stack>
        </Checkbox.Group>
        <NativeSelect
          label={t('tokens.lasts')}
          value={String(days ?? 0)}
          onChange={(event) => setDays(Number(event.currentTarget.value) || null)}
          data={[
            ...TOKEN_DAYS.map((count) => ({ value: String(count), label: t('share.days', { count }) })),
            { value: '0', label: t('tokens.until_revoked') },
          ]}
        />
        <FaultAlert fault={create.error === null ? null : asApiError(create.error)} />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={create.isPending}>
            {t('tokens.create')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function FreshToken({ token, onClose }: { token: string; onClose: () => void }) {
  const { t } = useWords();
  const copy = async () => {
    if (await copyText(token)) toast({ message: t('tokens.copied') });
    else toastError(t('code.copy_failed'));
  };
  return (
    <Stack gap={16}>
      <Text role="status">{t('tokens.once')}</Text>
      <TextInput
        label={t('tokens.fresh')}
        value={token}
        readOnly
        data-autofocus
        onFocus={(event) => event.currentTarget.select()}
        data-testid="fresh-token"
      />
      <Group justify="flex-end" gap={8}>
        <Button variant="default" onClick={onClose}>
          {t('action.close')}
        </Button>
        <Button onClick={() => void copy()}>{t('tokens.copy')}</Button>
      </Group>
    </Stack>
  );
}

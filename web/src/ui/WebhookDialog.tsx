/** Makes a webhook or changes one, and shows its secret once. */
import { Button, Checkbox, Group, Stack, Text, TextInput } from '@mantine/core';
import { useRef, useState, type FormEvent } from 'react';
import { asApiError, type ApiError } from '../api/client';
import { NAME_CHARS_MAX } from '../api/limits';
import type { Webhook } from '../api/types';
import { useWebhookActs } from '../api/webhooks';
import type { FaultLike } from '../i18n/faults';
import { useWords } from '../i18n/hooks';
import type { Translate } from '../i18n/time';
import { copyText } from './clipboard';
import { Dialog } from './Dialog';
import { FaultAlert } from './FaultAlert';
import { toast, toastError } from './toast';

const URL_CHARS_MAX = 2_048;

/** `events` are those that there are to choose from. */
type Wish =
  | { show: 'new'; events: string[] }
  | { show: 'edit'; webhook: Webhook; events: string[] }
  | { show: 'secret'; secret: string };

interface Props {
  wish: Wish;
  space: string;
  opened: boolean;
  onClose: () => void;
}

export function webhookName({ name, url }: Webhook): string {
  return name === '' ? url : name;
}

const TITLES = { new: 'webhooks.new', edit: 'webhooks.edit', secret: 'webhooks.secret' } as const;

export function WebhookDialog({ wish, space, opened, onClose }: Props) {
  const { t } = useWords();
  return (
    <Dialog
      title={t(TITLES[wish.show])}
      size={560}
      opened={opened}
      onClose={onClose}
      // One slip beside the dialog must not cost a secret that is shown once.
      closeOnClickOutside={false}
    >
      {wish.show === 'secret' ? (
        <FreshSecret secret={wish.secret} onClose={onClose} />
      ) : (
        <Form wish={wish} space={space} onClose={onClose} />
      )}
    </Dialog>
  );
}

function Form({ wish, space, onClose }: { wish: Exclude<Wish, { show: 'secret' }>; space: string; onClose: () => void }) {
  const { t } = useWords();
  const { create, change } = useWebhookActs(space);
  const before = wish.show === 'edit' ? wish.webhook : null;
  const [name, setName] = useState(before?.name ?? '');
  const [url, setUrl] = useState(before?.url ?? '');
  const [events, setEvents] = useState<string[]>(before?.events ?? wish.events);
  const [tried, setTried] = useState(false);
  const urlField = useRef<HTMLInputElement>(null);
  if (create.data !== undefined) return <FreshSecret secret={create.data.secret} onClose={onClose} />;

  const error = create.error ?? change.error;
  const { urlFault, fault } = placed(t, error === null ? null : asApiError(error));
  const missing = tried && url.trim() === '' ? t('field.required') : undefined;
  const all = events.length === wish.events.length;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (url.trim() === '') urlField.current?.focus();
    if (url.trim() === '' || events.length === 0) return;
    const wanted = { name: name.trim(), url: url.trim(), events };
    const onError = () => urlField.current?.focus();
    if (before === null) create.mutate(wanted, { onError });
    else change.mutate({ id: before.id, change: wanted }, { onError, onSuccess: onClose });
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap={16}>
        <TextInput
          ref={urlField}
          type="url"
          label={t('webhooks.url')}
          description={t('webhooks.url_hint')}
          value={url}
          maxLength={URL_CHARS_MAX}
          data-autofocus
          autoComplete="off"
          spellCheck={false}
          error={missing ?? urlFault}
          onChange={(event) => setUrl(event.currentTarget.value)}
        />
        <TextInput
          label={t('webhooks.name')}
          value={name}
          maxLength={NAME_CHARS_MAX}
          autoComplete="off"
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Checkbox.Group
          label={t('webhooks.events')}
          value={events}
          onChange={setEvents}
          error={tried && events.length === 0 ? t('webhooks.events_missing') : undefined}
        >
          <Stack gap={12} mt={8} mb={4}>
            {wish.events.map((event) => (
              <Checkbox key={event} value={event} label={t(`webhooks.event.${event}`)} />
            ))}
          </Stack>
        </Checkbox.Group>
        <Button
          variant="subtle"
          style={{ alignSelf: 'flex-start' }}
          onClick={() => setEvents(all ? [] : wish.events)}
        >
          {t(all ? 'webhooks.none' : 'webhooks.all')}
        </Button>
        <FaultAlert fault={fault} />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={create.isPending || change.isPending}>
            {t(before === null ? 'webhooks.create' : 'action.save')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** What the server said, as words for the address or a fault for the whole form. */
function placed(t: Translate, error: ApiError | null): { urlFault?: string; fault: FaultLike | null } {
  if (error?.code !== 'bad_request' || error.params['field'] !== 'url') return { fault: error };
  switch (error.params['reason']) {
    case 'https_needed':
      return { urlFault: t('webhooks.url_https'), fault: null };
    case 'not_allowed':
      return { urlFault: t('webhooks.url_inside'), fault: null };
    default:
      return { urlFault: t('webhooks.url_malformed'), fault: null };
  }
}

function FreshSecret({ secret, onClose }: { secret: string; onClose: () => void }) {
  const { t } = useWords();
  const copy = async () => {
    if (await copyText(secret)) toast({ message: t('webhooks.copied') });
    else toastError(t('code.copy_failed'));
  };
  return (
    <Stack gap={16}>
      <Text role="status">{t('webhooks.once')}</Text>
      <TextInput
        label={t('webhooks.secret')}
        value={secret}
        readOnly
        data-autofocus
        onFocus={(event) => event.currentTarget.select()}
        data-testid="webhook-secret"
      />
      <Group justify="flex-end" gap={8}>
        <Button variant="default" onClick={onClose}>
          {t('action.close')}
        </Button>
        <Button onClick={() => void copy()}>{t('webhooks.copy')}</Button>
      </Group>
    </Stack>
  );
}

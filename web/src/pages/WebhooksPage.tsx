/** Webhooks of a space: where what happens there is sent to, and what came of it. */
import { Badge, Button, Menu, Stack, Text, Title } from '@mantine/core';
import {
  IconKey,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlus,
  IconSend,
  IconTrash,
} from '@tabler/icons-react';
import { useParams } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { asApiError } from '../api/client';
import { useSpaces } from '../api/spaces';
import type { Space, Webhook } from '../api/types';
import { useWebhookActs, useWebhooks } from '../api/webhooks';
import { useSeen } from '../app/inbox';
import { useWords } from '../i18n/hooks';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { MoreButton } from '../ui/MoreButton';
import { HomeLink, LoadFailed, PageState } from '../ui/PageState';
import { toast, toastError } from '../ui/toast';
import { usePageTitle } from '../ui/usePageTitle';
import { WebhookDialog, webhookName } from '../ui/WebhookDialog';
import classes from './List.module.css';
import { ListSkeleton } from './RoomList';
import { SpaceCrumb } from './SpaceCrumb';
import { WebhookLog } from './WebhookLog';

export function WebhooksPage() {
  const { t } = useWords();
  const { id } = useParams({ strict: false }) as { id: string };
  const space = useSpaces().data?.spaces.find((one) => one.id === id);
  const hooks = useWebhooks(id);
  usePageTitle(t('webhooks.title'));
  useSeen('space', id);
  const fault = hooks.data === undefined && hooks.isError ? asApiError(hooks.error) : null;
  const missing = fault !== null && fault.status >= 400 && fault.status < 500;
  return (
    <main id="main" tabIndex={-1} className={classes.page}>
      {missing && (
        <PageState title={t('room.not_found')} hint={t('room.not_found_hint')}>
          <HomeLink />
        </PageState>
      )}
      {fault !== null && !missing && <LoadFailed fault={fault} onAgain={() => void hooks.refetch()} />}
      {hooks.isPending && <ListSkeleton />}
      {hooks.data !== undefined && space !== undefined && (
        <Inside space={space} webhooks={hooks.data.webhooks} events={hooks.data.events} />
      )}
    </main>
  );
}

function Inside({ space, webhooks, events }: { space: Space; webhooks: Webhook[]; events: string[] }) {
  const { t } = useWords();
  const [making, setMaking] = useState(false);
  const make = (
    <Button leftSection={<IconPlus size={18} stroke={1.5} />} onClick={() => setMaking(true)}>
      {t('webhooks.new')}
    </Button>
  );
  return (
    <>
      <SpaceCrumb space={space} />
      <header className={classes.header}>
        <Title order={1} fz={24}>
          {t('webhooks.title')}
        </Title>
        {webhooks.length > 0 && make}
      </header>
      {webhooks.length === 0 ? (
        <Stack className={classes.empty} align="center" gap={12}>
          <Text fz={18} fw={600} ta="center">
            {t('webhooks.empty')}
          </Text>
          <Text c="dimmed" ta="center" maw={480}>
            {t('webhooks.lead')}
          </Text>
          {make}
        </Stack>
      ) : (
        <>
          <Text c="dimmed" mb={16}>
            {t('webhooks.lead')}
          </Text>
          <ul className={classes.list} aria-label={t('webhooks.title')}>
            {webhooks.map((webhook) => (
              <Row key={webhook.id} space={space.id} webhook={webhook} events={events} />
            ))}
          </ul>
        </>
      )}
      <WebhookDialog
        wish={{ show: 'new', events }}
        space={space.id}
        opened={making}
        onClose={() => setMaking(false)}
      />
    </>
  );
}

type Asking = 'nothing' | 'edit' | 'renew' | 'secret' | 'remove';

function Row({ space, webhook, events }: { space: string; webhook: Webhook; events: string[] }) {
  const { t } = useWords();
  const [shown, setShown] = useState(false);
  const log = useId();
  const name = webhookName(webhook);
  return (
    <li data-testid="webhook">
      <div className={classes.tokenRow}>
        <span className={classes.trashText}>
          <Text span fw={600} className={classes.title} title={name}>
            {name}
          </Text>
          {webhook.name !== '' && (
            <Text span fz={12} c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              {webhook.url}
            </Text>
          )}
          <Text span fz={12} c="dimmed">
            {t('webhooks.events_count', { count: webhook.events.length })}
            {' · '}
            <State webhook={webhook} />
          </Text>
        </span>
        <Button
          variant="default"
          aria-label={t('webhooks.log_of', { name })}
          aria-expanded={shown}
          aria-controls={log}
          onClick={() => setShown(!shown)}
        >
          {t('webhooks.log')}
        </Button>
        <RowMenu space={space} webhook={webhook} events={events} onTested={() => setShown(true)} />
      </div>
      <div id={log}>{shown && <WebhookLog space={space} id={webhook.id} />}</div>
    </li>
  );
}

function State({ webhook: { on, off_because: because } }: { webhook: Webhook }) {
  const { t } = useWords();
  if (because !== null) {
    return (
      <Text span fz={12} style={{ color: 'var(--weft-error)' }}>
        {t(`webhooks.because.${because}`)}
      </Text>
    );
  }
  return (
    <Badge variant="light" color="gray" tt="none" fw={400} style={{ color: 'var(--weft-text)' }}>
      {t(on ? 'webhooks.on' : 'webhooks.off')}
    </Badge>
  );
}

interface MenuProps {
  space: string;
  webhook: Webhook;
  events: string[];
  onTested: () => void;
}

function RowMenu({ space, webhook, events, onTested }: MenuProps) {
  const { t, fault } = useWords();
  const acts = useWebhookActs(space);
  const [asking, setAsking] = useState<Asking>('nothing');
  const close = () => setAsking('nothing');
  const { id, on } = webhook;
  const name = webhookName(webhook);
  const failed = (error: unknown) => toastError(fault(asApiError(error)));
  const turn = () =>
    acts.change.mutate(
      { id, change: { on: !on } },
      {
        onError: failed,
        onSuccess: () => toast({ message: t(on ? 'webhooks.turned_off' : 'webhooks.turned_on') }),
      },
    );
  const test = () =>
    acts.test.mutate(id, {
      onError: failed,
      onSuccess: () => {
        toast({ message: t('webhooks.tested') });
        onTested();
      },
    });
  const renew = () =>
    acts.renew.mutate(id, { onError: failed, onSuccess: () => setAsking('secret') });
  const remove = () =>
    acts.remove.mutate(id, {
      onError: failed,
      onSuccess: () => toast({ message: t('webhooks.removed') }),
    });
  return (
    <>
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <MoreButton name={name} />
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={18} stroke={1.5} />} onClick={() => setAsking('edit')}>
            {t('action.edit')}
          </Menu.Item>
          <Menu.Item leftSection={<IconSend size={18} stroke={1.5} />} onClick={test}>
            {t('webhooks.test')}
          </Menu.Item>
          <Menu.Item
            leftSection={on ? <IconPlayerPause size={18} stroke={1.5} /> : <IconPlayerPlay size={18} stroke={1.5} />}
            onClick={turn}
          >
            {t(on ? 'webhooks.turn_off' : 'webhooks.turn_on')}
          </Menu.Item>
          <Menu.Item leftSection={<IconKey size={18} stroke={1.5} />} onClick={() => setAsking('renew')}>
            {t('webhooks.renew')}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item leftSection={<IconTrash size={18} stroke={1.5} />} onClick={() => setAsking('remove')}>
            {t('webhooks.remove')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <WebhookDialog
        wish={{ show: 'edit', webhook, events }}
        space={space}
        opened={asking === 'edit'}
        onClose={close}
      />
      <WebhookDialog
        wish={{ show: 'secret', secret: acts.renew.data ?? '' }}
        space={space}
        opened={asking === 'secret'}
        onClose={() => {
          close();
          acts.renew.reset();
        }}
      />
      <ConfirmDialog
        opened={asking === 'renew'}
        question={t('webhooks.renew_question', { name })}
        yes={t('webhooks.renew')}
        onYes={renew}
        onClose={close}
      />
      <ConfirmDialog
        opened={asking === 'remove'}
        question={t('webhooks.remove_question', { name })}
        yes={t('webhooks.remove')}
        onYes={remove}
        onClose={close}
      />
    </>
  );
}

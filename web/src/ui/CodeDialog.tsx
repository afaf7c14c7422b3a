/** "Use from code": a room token and what to do with it, for each library. */
import { Alert, Anchor, Button, NativeSelect, Stack, Tabs, Text } from '@mantine/core';
import { IconAlertTriangle, IconCopy } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { asApiError } from '../api/client';
import { useMint } from '../api/tokens';
import type { GrantRight, Right } from '../api/types';
import { useMe } from '../app/session';
import { useWords } from '../i18n/hooks';
import { shownTitle } from '../i18n/names';
import { copyText } from './clipboard';
import classes from './Code.module.css';
import { Dialog } from './Dialog';
import { FaultAlert } from './FaultAlert';
import { LIBRARIES, snippet, type Library } from './snippets';
import { toast, toastError } from './toast';

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
const LASTING = [HOUR_SECONDS, DAY_SECONDS, 7 * DAY_SECONDS, 30 * DAY_SECONDS];

interface Props {
  room: { id: string; title: string; right: Right };
  opened: boolean;
  onClose: () => void;
}

export function CodeDialog({ room, opened, onClose }: Props) {
  const { t } = useWords();
  const title = t('code.title', { title: shownTitle(room.title, t('doc.untitled')) });
  return (
    <Dialog title={title} size={720} opened={opened} onClose={onClose}>
      <UseFromCode room={room} />
    </Dialog>
  );
}

function UseFromCode({ room }: { room: Props['room'] }) {
  const { t } = useWords();
  const mayEdit = room.right === 'edit' || room.right === 'manage';
  const secondsMax = useMe().data?.server.room_token_seconds_max ?? DAY_SECONDS;
  const lasting = LASTING.filter((seconds) => seconds <= secondsMax);
  const [wanted, setWanted] = useState<GrantRight>('edit');
  const right = mayEdit ? wanted : 'read';
  const [seconds, setSeconds] = useState(Math.min(DAY_SECONDS, secondsMax));
  const mint = useMint(room.id);
  // One that was made for another right or time is not what the selects say.
  const made = mint.data;
  const choose = (change: () => void) => {
    mint.reset();
    change();
  };

  return (
    <Stack gap={16}>
      <Text c="dimmed">{t('code.lead')}</Text>
      <div className={classes.wish}>
        <NativeSelect
          label={t('code.right')}
          value={right}
          onChange={(event) => {
            const value = event.currentTarget.value as GrantRight;
            choose(() => setWanted(value));
          }}
          data={(mayEdit ? (['edit', 'read'] as const) : (['read'] as const)).map((value) => ({
            value,
            label: t(`share.${value}`),
          }))}
        />
        <NativeSelect
          label={t('code.lasts')}
          value={String(seconds)}
          onChange={(event) => {
            const value = Number(event.currentTarget.value);
            choose(() => setSeconds(value));
          }}
          data={(lasting.includes(seconds) ? lasting : [...lasting, seconds]).map((value) => ({
            value: String(value),
            label: lastingName(t, value),
          }))}
        />
        <Button
          variant={made === undefined ? 'filled' : 'default'}
          loading={mint.isPending}
          onClick={() => mint.mutate({ right, seconds })}
        >
          {t('code.create')}
        </Button>
      </div>
      <div>
        <FaultAlert fault={mint.error === null ? null : asApiError(mint.error)} />
        <div role="status">
          {made !== undefined && <Warning right={right} expiresAt={made.expires_at} />}
        </div>
      </div>
      <Samples room={room.id} right={right} seconds={seconds} token={made?.token ?? null} />
    </Stack>
  );
}

function lastingName(t: ReturnType<typeof useWords>['t'], seconds: number): string {
  if (seconds % DAY_SECONDS === 0) return t('share.days', { count: seconds / DAY_SECONDS });
  return t('code.hours', { count: Math.max(1, Math.floor(seconds / HOUR_SECONDS)) });
}

function Warning({ right, expiresAt }: { right: GrantRight; expiresAt: number }) {
  const { t, full } = useWords();
  const time = full(expiresAt);
  return (
    <Alert
      role="presentation"
      variant="light"
      icon={<IconAlertTriangle size={18} stroke={1.5} />}
      styles={{
        root: { background: 'var(--weft-warn-tint)' },
        message: { color: 'var(--weft-warn)' },
        icon: { color: 'var(--weft-warn)' },
      }}
    >
      {right === 'edit' ? t('code.warning_edit', { time }) : t('code.warning_read', { time })}
    </Alert>
  );
}

interface SamplesProps {
  room: string;
  right: GrantRight;
  seconds: number;
  /** None has been made yet. */
  token: string | null;
}

function Samples({ room, right, seconds, token }: SamplesProps) {
  const { t } = useWords();
  const [library, setLibrary] = useState<Library>('y-websocket');
  const wish = {
    origin: window.location.origin,
    room,
    right,
    seconds,
    token: token ?? 'ROOM_TOKEN',
    notes: {
      text: t('code.note_text'),
      json: t('code.note_json'),
      state: t('code.note_state'),
      update: t('code.note_update'),
      secret: t('code.note_secret'),
      name: t('code.note_name'),
    },
  };
  return (
    <Tabs value={library} onChange={(value) => setLibrary(value as Library)} keepMounted={false}>
      <Tabs.List aria-label={t('code.libraries')}>
        {LIBRARIES.map((each) => (
          <Tabs.Tab key={each} value={each} className={classes.tab}>
            {t(`code.tab.${each}`)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {LIBRARIES.map((each) => (
        <Tabs.Panel key={each} value={each} className={classes.panel}>
          <SampleHint library={each} missing={token === null} />
          <Sample code={snippet(each, wish)} name={t(`code.tab.${each}`)} />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

/** What to do before the code works. */
function SampleHint({ library, missing }: { library: Library; missing: boolean }) {
  const { t } = useWords();
  if (library === 'server') {
    return (
      <Text fz={12} c="dimmed">
        {t('code.server_hint')}{' '}
        <Anchor component={Link} to="/tokens" fz={12} underline="always">
          {t('tokens.title')}
        </Anchor>
      </Text>
    );
  }
  if (!missing) return null;
  return (
    <Text fz={12} c="dimmed">
      {t('code.token_missing')}
    </Text>
  );
}

function Sample({ code, name }: { code: string; name: string }) {
  const { t } = useWords();
  const copy = async () => {
    if (await copyText(code)) toast({ message: t('code.copied') });
    else toastError(t('code.copy_failed'));
  };
  return (
    <div className={classes.sample}>
      <pre
        className={classes.code}
        // Long lines scroll, also by keyboard.
        tabIndex={0}
        role="region"
        aria-label={t('code.sample', { name })}
        lang="en"
        data-testid="code-sample"
      >
        {code}
      </pre>
      <Button
        className={classes.copy}
        variant="default"
        leftSection={<IconCopy size={16} stroke={1.5} />}
        onClick={() => void copy()}
      >
        {t('code.copy')}
      </Button>
    </div>
  );
}

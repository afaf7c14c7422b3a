/** What others did that concerns me: notices, the newest first, with what can be answered. */
import { Button, Stack, Tabs, Text, Title } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useInbox } from '../app/inbox';
import { useWords } from '../i18n/hooks';
import type { InboxReplica, Notice } from '../sync';
import { isImeKey } from '../ui/ime';
import { LoadFailed } from '../ui/PageState';
import { usePageTitle } from '../ui/usePageTitle';
import classes from './List.module.css';
import { NoticeRow } from './NoticeRow';
import { useNotices } from './notices';
import { ListSkeleton } from './RoomList';

const TABS = ['all', 'unread', 'mentions'] as const;
type Tab = (typeof TABS)[number];

export function InboxPage() {
  const { t } = useWords();
  const { acts, view, open } = useInbox();
  const [tab, setTab] = useState<Tab>('all');
  usePageTitle(t('nav.inbox'));
  const unread = view?.unread ?? 0;
  const newest = view?.notices[0];
  return (
    <main id="main" tabIndex={-1} className={classes.page}>
      <header className={classes.header}>
        <Title order={1} fz={24}>
          {t('nav.inbox')}
        </Title>
        <Button
          variant="default"
          disabled={unread === 0}
          onClick={() => newest !== undefined && void acts?.readUpTo(newest.id)}
        >
          {t('inbox.mark_all')}
        </Button>
      </header>
      <Tabs value={tab} onChange={(value) => setTab(value as Tab)}>
        <Tabs.List>
          {TABS.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {name === 'unread' && unread > 0 ? t('inbox.unread_n', { count: unread }) : t(`inbox.${name}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={tab} pt={8}>
          {view !== null && acts !== null ? (
            <Notices key={tab} acts={acts} tab={tab} all={view.notices} />
          ) : open?.state.phase === 'failed' ? (
            <LoadFailed
              fault={open.state.fault ?? { code: 'room_unavailable', params: {} }}
              onAgain={() => open.room.retryNow()}
            />
          ) : (
            <ListSkeleton />
          )}
        </Tabs.Panel>
      </Tabs>
    </main>
  );
}

interface Props {
  acts: InboxReplica;
  tab: Tab;
  all: readonly Notice[];
}

function Notices({ acts, tab, all }: Props) {
  const { t } = useWords();
  const list = useRef<HTMLUListElement>(null);
  const notices = useNotices();
  const navigate = useNavigate();
  // What was new when one came stays until one leaves: nothing goes from under one's eyes.
  const [kept] = useState(() => new Set<number>());
  const shown = all.filter((notice) => {
    if (tab === 'mentions') return notice.what === 'mention';
    if (tab === 'all') return true;
    if (!notice.read) kept.add(notice.id);
    return kept.has(notice.id);
  });
  useListKeys(list, shown, {
    toggle: (notice) => void (notice.read ? acts.markUnread([notice.id]) : acts.markRead([notice.id])),
  });
  if (shown.length === 0) {
    return (
      <Stack className={classes.empty} align="center" gap={12}>
        <Text fz={18} fw={600} ta="center">
          {t('inbox.empty')}
        </Text>
        <Text c="dimmed" ta="center">
          {t('inbox.empty_hint')}
        </Text>
      </Stack>
    );
  }
  return (
    <>
      <ul ref={list} className={classes.list} aria-label={t('nav.inbox')} data-testid="notices">
        {shown.map((notice) => (
          <NoticeRow
            key={notice.id}
            notice={notice}
            words={notices(notice)}
            acts={acts}
            onOpen={(to) => {
              if (!notice.read) void acts.markRead([notice.id]);
              void navigate(to);
            }}
          />
        ))}
      </ul>
      <Text fz={12} c="dimmed" mt={16} className={classes.keysHint}>
        {t('inbox.keys')}
      </Text>
    </>
  );
}

interface Keys {
  toggle: (notice: Notice) => void;
}

/** J and K go from one to the next, U marks. Enter opens: the row itself is a link or a button. */
function useListKeys(
  list: React.RefObject<HTMLUListElement | null>,
  shown: readonly Notice[],
  keys: Keys,
): void {
  const latest = useRef({ shown, keys });
  latest.current = { shown, keys };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isImeKey(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      const target = event.target instanceof HTMLElement ? event.target : null;
      if (target?.closest('input, select, textarea, [contenteditable], [role="dialog"], [role="menu"]')) return;
      const rows = [...(list.current?.querySelectorAll<HTMLElement>('[data-notice]') ?? [])];
      const at = rows.findIndex((row) => row.contains(document.activeElement));
      switch (event.key.toLowerCase()) {
        case 'j':
        case 'k': {
          const to = at === -1 ? 0 : at + (event.key.toLowerCase() === 'j' ? 1 : -1);
          rows[Math.max(0, Math.min(rows.length - 1, to))]?.querySelector<HTMLElement>('[data-open]')?.focus();
          break;
        }
        case 'u': {
          const notice = latest.current.shown[at];
          if (notice === undefined) return;
          latest.current.keys.toggle(notice);
          break;
        }
        default:
          return;
      }
      event.preventDefault();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [list]);
}

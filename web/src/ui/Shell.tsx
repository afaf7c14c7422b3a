/**
 * The frame around every page of somebody who is signed in: rail and list on wide screens, a
 * drawer on middling ones, tabs at the bottom of lists on phones.
 */
import { ActionIcon, Drawer, Tooltip, UnstyledButton } from '@mantine/core';
import {
  IconHome,
  IconInbox,
  IconLayoutSidebarLeftExpand,
  IconListTree,
  IconPlus,
  IconUser,
  type TablerIcon,
} from '@tabler/icons-react';
import { Link, Outlet, useLocation, useRouter } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useMemo, useState, type ReactNode } from 'react';
import { asApiError } from '../api/client';
import type { Me, User } from '../api/types';
import { InboxProvider, useUnread } from '../app/inbox';
import { news, newsTold } from '../app/journey';
import { linkInAddress, type HeldLink } from '../app/link';
import { useMe, useSession } from '../app/session';
import { useWords } from '../i18n/hooks';
import { knownZone, ZoneContext } from '../i18n/zone';
import { AskAgain } from './AskAgain';
import { Avatar } from './Avatar';
import { Dialogs, useDialogs } from './dialogs';
import { Logo } from './Logo';
import { MeMenu } from './MeMenu';
import { NewMenu } from './NewMenu';
import { LoadFailed } from './PageState';
import classes from './Shell.module.css';
import { isMod, shortcutText } from './shortcut';
import { toast, toastError } from './toast';
import { TreePanel } from './tree/TreePanel';
import { NARROW, PHONE, useMediaFlag } from './useMediaFlag';
import { badge } from './usePageTitle';

const GuestPage = lazy(() => import('../pages/GuestPage').then((m) => ({ default: m.GuestPage })));

export function Shell() {
  const me = useMe();
  const link = useLinkOfGuest(me.data === null);
  useGoToSignIn(me.data === null && link === null);
  if (link !== null) {
    return (
      <Suspense fallback={<div className={classes.shell} data-phone={true} aria-busy="true" />}>
        <GuestPage key={link.room} link={link} />
      </Suspense>
    );
  }
  if (me.data) {
    return (
      <ZoneContext value={knownZone(me.data.user.time_zone)}>
        <InboxProvider me={me.data}>
          <Dialogs>
            <SignedIn me={me.data} />
          </Dialogs>
        </InboxProvider>
      </ZoneContext>
    );
  }
  if (me.isError) {
    return (
      <main>
        <LoadFailed fault={asApiError(me.error)} onAgain={() => void me.refetch()} />
      </main>
    );
  }
  return <div className={classes.shell} data-rail={true} aria-busy="true" />;
}

/** The link in the address, for those who are not signed in. */
function useLinkOfGuest(signedOut: boolean): HeldLink | null {
  const key = useLocation({ select: ({ pathname, hash }) => `${pathname}#${hash}` });
  return useMemo(() => (signedOut && key !== '' ? linkInAddress() : null), [signedOut, key]);
}

/** Leads to the sign-in page, once, and back here afterwards unless one left on purpose. */
function useGoToSignIn(signedOut: boolean): void {
  const session = useSession();
  const router = useRouter();
  useEffect(() => {
    if (!signedOut) return;
    const { pathname } = router.state.location;
    const next = session.leaving || pathname === '/home' ? {} : { next: pathname };
    void router.navigate({ to: '/signin', search: next, replace: true });
  }, [signedOut, session, router]);
}

function SignedIn({ me }: { me: Me }) {
  const { t } = useWords();
  const phone = useMediaFlag(PHONE);
  const narrow = useMediaFlag(NARROW);
  const inObject = useLocation({ select: ({ pathname }) => pathname.startsWith('/o/') });
  const { treeOpen, toggleTree } = useTree(narrow);
  useFindKey();
  useJourneyNews();

  const tree = <TreePanel workspace={me.workspace.name} />;
  return (
    <div className={classes.shell} data-phone={phone || undefined}>
      <a className="skip-link no-print" href="#main">
        {t('shell.skip')}
      </a>
      {!phone && (
        <Rail user={me.user} treeOpen={treeOpen} onToggleTree={toggleTree} />
      )}
      {!narrow && treeOpen && (
        <aside className={`${classes.tree} no-print`} aria-label={t('shell.tree')}>
          {tree}
        </aside>
      )}
      {narrow && (
        <Drawer
          opened={treeOpen}
          onClose={toggleTree}
          size={phone ? '100%' : 320}
          classNames={{ content: classes.drawer, body: classes.drawerBody }}
          title={t('shell.tree')}
          closeButtonProps={{ 'aria-label': t('action.close') }}
        >
          {tree}
        </Drawer>
      )}
      <div className={classes.content}>
        <Outlet />
      </div>
      {phone && !inObject && <Tabs user={me.user} onTree={toggleTree} />}
      <AskAgain user={me.user} />
    </div>
  );
}

/** Tells what came of the way to the provider and back. */
function useJourneyNews(): void {
  const { t, fault } = useWords();
  useEffect(() => {
    const { failed, done } = news();
    newsTold();
    if (failed !== null) toastError(fault({ code: failed, params: {} }));
    if (done === 'linked') toast({ message: t('oidc.news_linked') });
    if (done === 'confirmed') toast({ message: t('oidc.news_confirmed') });
  }, [t, fault]);
}

const TREE_STORED = 'weft.tree';

function useTree(narrow: boolean) {
  const [wide, setWide] = useState(() => safeGet(TREE_STORED) !== 'closed');
  const [drawer, setDrawer] = useState(false);
  const pathname = useLocation({ select: (location) => location.pathname });
  useEffect(() => setDrawer(false), [pathname]);
  const toggleTree = () => {
    if (narrow) return setDrawer(!drawer);
    safeSet(TREE_STORED, wide ? 'closed' : 'open');
    setWide(!wide);
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== '\\' || !isMod(event)) return;
      event.preventDefault();
      toggleTree();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  });
  return { treeOpen: narrow ? drawer : wide, toggleTree };
}

/** Ctrl K finds or does anything, unless what has the focus has a use for it. */
function useFindKey(): void {
  const show = useDialogs();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !isMod(event) || event.shiftKey || event.altKey) return;
      if (event.defaultPrevented) return;
      event.preventDefault();
      show({ show: 'find' });
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [show]);
}

function safeGet(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function safeSet(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

interface RailProps {
  user: User;
  treeOpen: boolean;
  onToggleTree: () => void;
}

function Rail({ user, treeOpen, onToggleTree }: RailProps) {
  const { t } = useWords();
  const unread = useUnread();
  return (
    <nav className={`${classes.rail} no-print`} aria-label={t('shell.main_nav')}>
      <Link to="/home" className={classes.logo} aria-label={`Weft, ${t('nav.home')}`}>
        <Logo />
      </Link>
      <RailLink to="/home" icon={IconHome} label={t('nav.home')} />
      <RailLink to="/inbox" icon={IconInbox} label={t('nav.inbox')} count={unread} />
      <div className={classes.spring} />
      <Tooltip label={`${t('shell.tree_toggle')} (${shortcutText('Ctrl \\')})`} position="right">
        <ActionIcon
          variant="subtle"
          color="gray"
          size={40}
          aria-label={t('shell.tree_toggle')}
          aria-expanded={treeOpen}
          onClick={onToggleTree}
        >
          <IconLayoutSidebarLeftExpand size={20} stroke={1.5} />
        </ActionIcon>
      </Tooltip>
      <MeMenu user={user} position="right-end">
        <UnstyledButton className={classes.me} data-testid="me-menu">
          <Avatar name={user.name} person={user.id} color={null} size={32} />
          <span className="visually-hidden">{t('shell.me_menu')}</span>
        </UnstyledButton>
      </MeMenu>
    </nav>
  );
}

interface FaceProps {
  icon: TablerIcon;
  label: string;
  /** Shown as a badge. */
  count?: number;
}

function RailLink({ to, ...face }: FaceProps & { to: '/home' | '/inbox' }) {
  return (
    <Link to={to} className={classes.railLink} activeProps={{ 'data-active': true }}>
      <TabFace {...face} />
    </Link>
  );
}

function Tabs({ user, onTree }: { user: User; onTree: () => void }) {
  const { t } = useWords();
  const unread = useUnread();
  return (
    <nav className={`${classes.tabs} no-print`} aria-label={t('shell.main_nav')}>
      <Link to="/home" className={classes.tab} activeProps={{ 'data-active': true }}>
        <TabFace icon={IconHome} label={t('nav.home')} />
      </Link>
      <UnstyledButton className={classes.tab} onClick={onTree} data-testid="tab-spaces">
        <TabFace icon={IconListTree} label={t('nav.spaces')} />
      </UnstyledButton>
      <NewMenu>
        <UnstyledButton className={classes.tab} data-testid="tab-new">
          <TabFace icon={IconPlus} label={t('nav.new')} />
        </UnstyledButton>
      </NewMenu>
      <Link to="/inbox" className={classes.tab} activeProps={{ 'data-active': true }}>
        <TabFace icon={IconInbox} label={t('nav.inbox')} count={unread} />
      </Link>
      <MeMenu user={user} position="top-end">
        <UnstyledButton className={classes.tab} data-testid="me-menu">
          <TabFace icon={IconUser} label={t('shell.me')} />
        </UnstyledButton>
      </MeMenu>
    </nav>
  );
}

function TabFace({ icon: Icon, label, count = 0 }: FaceProps): ReactNode {
  const { t } = useWords();
  return (
    <>
      <span className={classes.face}>
        <Icon size={20} stroke={1.5} aria-hidden="true" />
        {count > 0 && (
          <span className={classes.badge} aria-hidden="true" data-testid="inbox-badge">
            {badge(count)}
          </span>
        )}
      </span>
      <span>{label}</span>
      {count > 0 && <span className="visually-hidden">{t('inbox.nav', { count })}</span>}
    </>
  );
}

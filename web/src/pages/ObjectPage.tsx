/** The frame of every object: title, state of saving, people, Share and the `:` menu. */
import { ActionIcon, Button, Skeleton, Stack, Text, Tooltip } from '@mantine/core';
import { IconArrowLeft, IconShare, IconX } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useCanGoBack, useLocation, useNavigate, useParams, useRouter } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useEffect, useRef, useState, type ReactNode } from 'react';
import { asApiError } from '../api/client';
import { listKey, refreshLists } from '../api/lists';
import { useRoomActs, useRoomInfo } from '../api/rooms';
import type { Kind, Right as InfoRight, RoomInfo } from '../api/types';
import { useIsGuest } from '../app/guest';
import { useLetIn, useSeen } from '../app/inbox';
import { carryLink, dropLink, linkInAddress, linkTo } from '../app/link';
import { useApi } from '../app/services';
import { useConnection, useMe } from '../app/session';
import { Crumbs, StarButton } from '../frame/Crumbs';
import { Faces } from '../frame/Faces';
import classes from '../frame/Frame.module.css';
import { failedSentence, SaveIndicator } from '../frame/SaveIndicator';
import { TitleField } from '../frame/TitleField';
import { Tray } from '../frame/Tray';
import { useConnectionStatus, useRoom, type OpenRoom } from '../frame/useRoom';
import { useRightNews, useSaveNews } from '../frame/useRoomNews';
import { useWords } from '../i18n/hooks';
import { shownTitle } from '../i18n/names';
import type { RoomState } from '../sync';
import { useDialogs } from '../ui/dialogs';
import { HomeLink, LoadFailed, PageState } from '../ui/PageState';
import { RoomMenu } from '../ui/RoomMenu';
import { isMod } from '../ui/shortcut';
import { toastError } from '../ui/toast';
import { PHONE, useMediaFlag } from '../ui/useMediaFlag';
import { usePageTitle } from '../ui/usePageTitle';
import { LinkForm } from './LinkForm';

const DocRoom = lazy(() => import('../rooms/doc/DocRoom'));
const OrderRoom = lazy(() => import('../rooms/order/OrderRoom'));

export function ObjectPage() {
  const { id } = useParams({ from: '/shell/o/$id' });
  const me = useMe();
  // Counts up to attach anew, for instance after taking it out of the trash.
  const [attempt, setAttempt] = useState(0);
  const isGuest = useIsGuest();
  const [link, setLink] = useState(() => (isGuest ? null : linkTo(id)));
  const done = useCallback(() => {
    dropLink();
    setLink(null);
  }, []);
  if (!me.data) return null;
  if (link?.room === id) return <LinkForm link={link} signedIn onOpen={done} onFault={done} />;
  return (
    <ObjectOf
      key={`${id} ${attempt}`}
      id={id}
      myId={me.data.user.id}
      onReopen={() => setAttempt(attempt + 1)}
    />
  );
}

interface ObjectProps {
  id: string;
  myId: string;
  onReopen: () => void;
}

function ObjectOf({ id, myId, onReopen }: ObjectProps) {
  const { t } = useWords();
  const connection = useConnection(myId);
  const status = useConnectionStatus(connection);
  const open = useRoom(connection, id);
  const info = useRoomInfo(id);
  const title = info.data?.title ?? open?.state.title ?? '';
  usePageTitle(
    info.data === undefined && open === null ? '' : shownTitle(title, t('doc.untitled')),
    (open?.state.pending ?? 0) > 0,
  );
  useEarlyCode(info.data?.kind);
  useSeen('room', open?.state.phase === 'ready' ? open.state.roomId : null);

  if (status === 'outdated') {
    return (
      <Main>
        <PageState title={t('error.update')}>
          <Button onClick={() => window.location.reload()}>{t('action.reload')}</Button>
        </PageState>
      </Main>
    );
  }
  if (open === null || open.state.phase === 'opening') {
    const missing = info.isError && asApiError(info.error).code === 'not_found';
    return (
      <>
        <ObjectFrame title={title} loading info={info.data} open={open} />
        <Main>
          {missing ? (
            <Gone id={id} open={null} onReopen={onReopen} />
          ) : (
            <Opening offline={status === 'offline'} />
          )}
        </Main>
      </>
    );
  }
  const { room, state } = open;
  if (state.phase === 'gone') {
    return (
      <Main>
        <Gone id={id} open={open} onReopen={onReopen} />
      </Main>
    );
  }
  if (state.phase === 'failed') {
    return (
      <>
        <ObjectFrame title={title} loading info={info.data} open={open} />
        <Main>
          <LoadFailed
            fault={state.fault ?? { code: 'room_unavailable', params: {} }}
            onAgain={() => {
              room.retryNow();
              connection?.retryNow();
            }}
          />
          {state.tray.length > 0 && <TrayPage open={open} />}
        </Main>
      </>
    );
  }
  return (
    <>
      <ObjectFrame title={title} loading={false} info={info.data} open={open} />
      <Main>
        <Banners open={open} />
        <Content open={open} title={shownTitle(title, t('doc.untitled'))} myId={myId} />
      </Main>
    </>
  );
}

function Main({ children }: { children: ReactNode }) {
  return (
    <main id="main" tabIndex={-1} className={classes.content}>
      {children}
    </main>
  );
}

/** Fetches the code of the kind while the content is still under way. */
function useEarlyCode(kind: Kind | undefined): void {
  useEffect(() => {
    if (kind === 'doc') void import('../rooms/doc/DocRoom');
    if (kind === 'order') void import('../rooms/order/OrderRoom');
  }, [kind]);
}

function Content({ open, title, myId }: { open: OpenRoom; title: string; myId: string }) {
  const { t } = useWords();
  const { room, state } = open;
  const doc = room.doc();
  const order = room.order();
  if (state.kind === 'doc' && doc !== null) {
    return (
      <Suspense fallback={<Opening offline={false} />}>
        <DocRoom key={state.generation} replica={doc} state={state} title={title} />
      </Suspense>
    );
  }
  if (state.kind === 'order' && order !== null) {
    return (
      <Suspense fallback={<Opening offline={false} />}>
        <OrderRoom key={state.generation} room={room} replica={order} state={state} myId={myId} />
      </Suspense>
    );
  }
  if (state.kind === 'doc' || state.kind === 'order') return <Opening offline={false} />;
  return (
    <PageState title={t('room.kind_unknown')}>
      <Button onClick={() => window.location.reload()}>{t('action.reload')}</Button>
    </PageState>
  );
}

function Opening({ offline }: { offline: boolean }) {
  const { t } = useWords();
  const [waitedS, setWaitedS] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setWaitedS((seconds) => seconds + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <div className={classes.opening} aria-busy="true">
      <Stack gap={16} className="late" aria-hidden="true">
        {[90, 96, 72, 88, 40].map((width) => (
          <Skeleton key={width} height={14} width={`${width}%`} />
        ))}
      </Stack>
      <Text c="dimmed" mt={24} role="status">
        {offline
          ? t('room.offline_first')
          : waitedS >= 5
            ? t('room.loading_long')
            : waitedS >= 1
              ? t('room.loading')
              : ''}
      </Text>
    </div>
  );
}

interface FrameProps {
  title: string;
  /** Nothing can be edited yet. */
  loading: boolean;
  info: RoomInfo | undefined;
  open: OpenRoom | null;
}

function ObjectFrame({ title, loading, info, open }: FrameProps) {
  const { t } = useWords();
  const navigate = useNavigate();
  const phone = useMediaFlag(PHONE);
  const isGuest = useIsGuest();
  const acts = useRoomActs();
  const show = useDialogs();
  const fresh = useLocation({ select: (location) => location.state.fresh === true });
  const [selectAt, setSelectAt] = useState(0);
  const [details, setDetails] = useState(false);
  const right = rightNow(info?.right, open?.state);
  const editable = !loading && !isGuest && (right === 'edit' || right === 'manage');
  useSaveKey(open, () => setDetails(true));
  useEffect(() => {
    if (fresh && editable) setSelectAt(1);
  }, [fresh, editable]);

  // A guest has this one thing: no place, no menu, nobody to share it with.
  const room = info === undefined || isGuest ? null : { ...info, title, right };
  return (
    <header className={`${classes.frame} no-print`}>
      {phone && !isGuest && <BackButton />}
      <div className={classes.titleBox}>
        {room !== null && !phone && <Crumbs space={room.space} folder={room.folder} />}
        <TitleField
          title={title}
          editable={editable}
          selectAt={selectAt}
          onRename={(to) => (room === null ? Promise.resolve(false) : acts.rename(room.id, to))}
          onDone={focusContent}
        />
        {room !== null && !phone && <StarButton room={room} />}
      </div>
      {open !== null && (
        <>
          <SaveIndicator room={open.room} state={open.state} opened={details} onOpened={setDetails} />
          <SaveSpeaker state={open.state} />
          <Faces faces={open.state.faces} />
        </>
      )}
      {room !== null && !phone && (
        <Button
          variant="default"
          leftSection={<IconShare size={16} stroke={1.5} />}
          onClick={(event) => show({ show: 'share_room', room }, event.currentTarget)}
        >
          {t('action.share')}
        </Button>
      )}
      {room !== null && (
        <RoomMenu
          room={room}
          onRename={() => setSelectAt((count) => count + 1)}
          onTrashed={() => void navigate({ to: '/home' })}
          {...(open?.state.kind === 'doc' ? { onPrint: () => window.print() } : {})}
        />
      )}
      {isGuest && <SignInAsPerson />}
    </header>
  );
}

/** A guest who has an account goes on as that. */
function SignInAsPerson() {
  const { t } = useWords();
  const navigate = useNavigate();
  const go = () => {
    const link = linkInAddress();
    if (link !== null) carryLink(link);
    void navigate({ to: '/signin', search: { next: window.location.pathname } });
  };
  return (
    <Button variant="default" onClick={go}>
      {t('guest.sign_in')}
    </Button>
  );
}

function rightNow(info: InfoRight | undefined, state: RoomState | undefined): InfoRight {
  const live = state?.phase === 'ready' ? state.right : undefined;
  if (live !== undefined && live !== 'none') return live;
  return info ?? 'read';
}

function BackButton() {
  const { t } = useWords();
  const router = useRouter();
  const canGoBack = useCanGoBack();
  const navigate = useNavigate();
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size={44}
      aria-label={t('action.back')}
      onClick={() => (canGoBack ? router.history.back() : void navigate({ to: '/home' }))}
    >
      <IconArrowLeft size={20} stroke={1.5} />
    </ActionIcon>
  );
}

/** Marks the element that takes the caret when one leaves the title by Enter. */
function focusContent(): void {
  const target = document.querySelector<HTMLElement>('[data-content-focus]');
  if (target !== null) target.focus();
  else (document.activeElement as HTMLElement | null)?.blur();
}

/** Ctrl S never opens the browser's dialog: it sends what waits and shows the details. */
function useSaveKey(open: OpenRoom | null, show: () => void): void {
  const latest = useRef({ open, show });
  latest.current = { open, show };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 's' || !isMod(event) || event.shiftKey || event.altKey) return;
      event.preventDefault();
      const { open: now, show: showNow } = latest.current;
      if (now === null) return;
      now.room.doc()?.flush();
      now.room.retryNow();
      showNow();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}

function SaveSpeaker({ state }: { state: RoomState }) {
  const said = useSaveNews(state.save);
  return (
    <span className="visually-hidden" role="status">
      {said}
    </span>
  );
}

function Banners({ open }: { open: OpenRoom }) {
  const { t } = useWords();
  const { room, state } = open;
  const { news, dismiss } = useRightNews(state);
  const { save } = state;
  const lasting = save.kind === 'failed' && (save.reason === 'store' || save.reason === 'full');
  const failed = save.kind === 'failed' && (lasting || !save.keepsHere) ? save : null;
  return (
    <div className="no-print">
      <div role="alert">
        {failed !== null && (
          <div className={classes.banner} data-tone="bad" data-testid="save-banner">
            <span>{failedSentence(t, failed, state.tray.length)}</span>
            <Button size="compact-sm" variant="default" onClick={() => room.retryNow()}>
              {t('action.retry')}
            </Button>
          </div>
        )}
      </div>
      <div role="status">
        {news !== null && (
          <div className={classes.banner} data-tone={news === 'lost' ? 'warn' : 'calm'}>
            <span>{news === 'lost' ? t('room.lost_edit') : t('room.gained_edit')}</span>
            <Tooltip label={t('action.close')}>
              <ActionIcon variant="subtle" color="gray" size={28} aria-label={t('action.close')} onClick={dismiss}>
                <IconX size={16} stroke={1.5} />
              </ActionIcon>
            </Tooltip>
          </div>
        )}
      </div>
    </div>
  );
}

interface GoneProps {
  id: string;
  open: OpenRoom | null;
  onReopen: () => void;
}

/** Not found, no longer mine to see, or trashed; what I had not sent stays to be copied. */
function Gone({ id, open, onReopen }: GoneProps) {
  const words = useWords();
  const { t } = words;
  const acts = useRoomActs();
  const queries = useQueryClient();
  const isGuest = useIsGuest();
  useEffect(() => {
    void refreshLists(queries);
  }, [queries]);
  const fault = open?.state.fault ?? { code: 'not_found', params: {} };
  const unseen = fault.code === 'not_found' || fault.code === 'no_access';
  useLetIn(id, () => {
    if (!unseen) return;
    void queries.invalidateQueries({ queryKey: listKey.room(id) });
    if (open === null) onReopen();
    else open.room.retryNow();
  });
  const restorable = fault.code === 'trashed' && open?.state.right === 'manage';
  const restore = async () => {
    if (await acts.restore(id)) onReopen();
  };
  return (
    <>
      <PageState
        title={words.fault(fault)}
        hint={fault.code === 'not_found' ? t('room.not_found_hint') : undefined}
      >
        {unseen && !isGuest && <AskForAccess id={id} />}
        {restorable && <Button onClick={() => void restore()}>{t('action.restore')}</Button>}
        {!isGuest && <HomeLink />}
      </PageState>
      {open !== null && open.state.tray.length > 0 && <TrayPage open={open} />}
    </>
  );
}

/** Asks whoever manages this, if there is anything here: the answer is the same if there is not. */
function AskForAccess({ id }: { id: string }) {
  const { t, fault } = useWords();
  const api = useApi();
  const ask = useMutation({
    mutationFn: () => api.askForAccess(id),
    onError: (error) => toastError(fault(asApiError(error))),
  });
  if (ask.isSuccess) {
    return (
      <Text role="status" ta="center">
        {t('room.requested')}
      </Text>
    );
  }
  return (
    <Button loading={ask.isPending} onClick={() => ask.mutate()}>
      {t('room.request')}
    </Button>
  );
}

function TrayPage({ open }: { open: OpenRoom }) {
  return (
    <div className={classes.trayPage}>
      <Tray room={open.room} items={open.state.tray} />
    </div>
  );
}


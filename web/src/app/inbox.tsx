/**
 * The inbox of whoever is signed in, live wherever one is: attached once for the whole app.
 *
 * Not here: what an inbox is (`src/sync/inbox`), its page (`src/pages/InboxPage`).
 */
import { useQueryClient } from '@tanstack/react-query';
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
  type ReactNode,
} from 'react';
import { refreshLists } from '../api/lists';
import type { Me } from '../api/types';
import { useRoom, type OpenRoom } from '../frame/useRoom';
import type { InboxReplica, InboxView, Notice, NoticeObject } from '../sync';
import { usePush } from './push';
import { useConnection } from './session';

export interface Inbox {
  /** Null until it can be asked for anything. */
  acts: InboxReplica | null;
  /** Null until it is known. */
  view: InboxView | null;
  /** The room behind it, for its state. */
  open: OpenRoom | null;
}

const NOTHING: Inbox = { acts: null, view: null, open: null };
const InboxContext = createContext<Inbox>(NOTHING);

export function InboxProvider({ me, children }: { me: Me; children: ReactNode }) {
  const connection = useConnection(me.user.id);
  const open = useRoom(connection, me.inbox);
  const acts = open?.room.inbox() ?? null;
  const subscribe = useCallback(
    (changed: () => void) => acts?.subscribe(changed) ?? (() => undefined),
    [acts],
  );
  const view = useSyncExternalStore(subscribe, () => acts?.state() ?? null);
  useFreshLists(view);
  usePush(view);
  const inbox = useMemo(() => ({ acts, view, open }), [acts, view, open]);
  return <InboxContext value={inbox}>{children}</InboxContext>;
}

/** What one is told of changes lists that are shown: they are asked for anew. */
function useFreshLists(view: InboxView | null): void {
  const queries = useQueryClient();
  const newest = view === null ? null : (view.notices[0]?.id ?? 0);
  const known = useRef<number | null>(null);
  useEffect(() => {
    if (newest === null) return;
    if (known.current !== null && newest > known.current) {
      void refreshLists(queries);
      void queries.invalidateQueries({ queryKey: ['requests'] });
    }
    known.current = newest;
  }, [newest, queries]);
}

/** Empty for whoever is not signed in. */
export function useInbox(): Inbox {
  return useContext(InboxContext);
}

export function useUnread(): number {
  return useInbox().view?.unread ?? 0;
}

type Which = Pick<NoticeObject, 'kind' | 'id'>;

const isAbout = ({ object }: Notice, { kind, id }: Which): boolean => object?.kind === kind && object.id === id;

/** What one looks at has been read: its notices, and those that come meanwhile, on all devices. */
export function useSeen(kind: Which['kind'], id: string | null): void {
  const { acts, view } = useInbox();
  const asked = useRef(new Set<number>());
  useEffect(() => {
    if (acts === null || view === null || id === null) return;
    const look = () => {
      if (document.visibilityState !== 'visible') return;
      const unread = view.notices.filter(
        (notice) => !notice.read && isAbout(notice, { kind, id }) && !asked.current.has(notice.id),
      );
      if (unread.length === 0) return;
      // Who marks one as unread again while looking at it means it.
      for (const notice of unread) asked.current.add(notice.id);
      void acts.markRead(unread.map((notice) => notice.id));
    };
    look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [acts, view, kind, id]);
}

const OPENS = new Set(['access.allowed', 'grant', 'mention']);

/** Calls when a notice comes that says that the room can be opened now. */
export function useLetIn(room: string, onLetIn: () => void): void {
  const { view } = useInbox();
  const known = useRef<number | null>(null);
  const latest = useRef(onLetIn);
  latest.current = onLetIn;
  useEffect(() => {
    if (view === null) return;
    const ids = view.notices.filter((one) => OPENS.has(one.what) && isAbout(one, { kind: 'room', id: room }));
    const newest = Math.max(0, ...ids.map(({ id }) => id));
    const before = known.current;
    known.current = newest;
    if (before !== null && newest > before) latest.current();
  }, [view, room]);
}

/**
 * The dialogs about rooms, folders and spaces: anything within the shell opens one, and its code
 * is loaded then. Focus goes back to what opened it.
 */
import {
  createContext,
  lazy,
  Suspense,
  useCallback,
  useContext,
  useRef,
  useState,
  type ReactNode,
} from 'react';
import type { Movable } from '../api/spaces';
import type { Folder, Place, Right, RoomInfo, Space } from '../api/types';

const Opened = lazy(() => import('./OpenedDialog'));

export type DialogWish =
  | { show: 'rename_room'; room: { id: string; title: string } }
  | { show: 'rename_folder'; folder: { id: string; name: string } }
  | { show: 'rename_space'; space: Space }
  | { show: 'new_folder'; place: Place }
  | { show: 'new_space' }
  | { show: 'move'; what: Movable }
  | { show: 'share_room'; room: SharedRoom }
  | { show: 'share_folder'; folder: Folder }
  | { show: 'code'; room: { id: string; title: string; right: Right } }
  | { show: 'space'; id: string; tab: 'members' | 'settings' }
  | { show: 'find' };

export type SharedRoom = Pick<RoomInfo, 'id' | 'title' | 'right' | 'space' | 'folder'>;

/** `returnTo` takes the focus afterwards; without it, what has it now. */
type Show = (wish: DialogWish, returnTo?: HTMLElement | null) => void;

const ShowContext = createContext<Show | null>(null);

export function useDialogs(): Show {
  const show = useContext(ShowContext);
  if (show === null) throw new Error('Shell provides the dialogs');
  return show;
}

export function Dialogs({ children }: { children: ReactNode }) {
  const [wish, setWish] = useState<DialogWish | null>(null);
  const [opened, setOpened] = useState(false);
  const [count, setCount] = useState(0);
  const returnTo = useRef<Element | null>(null);
  const show = useCallback<Show>((wanted, back) => {
    returnTo.current = back ?? document.activeElement;
    setWish(wanted);
    setOpened(true);
    // A fresh dialog each time: nothing of what was typed before is left in it.
    setCount((before) => before + 1);
  }, []);
  const close = useCallback(() => {
    setOpened(false);
    if (returnTo.current instanceof HTMLElement) returnTo.current.focus();
  }, []);
  return (
    <ShowContext.Provider value={show}>
      {children}
      <Suspense>
        {wish !== null && <Opened key={count} wish={wish} opened={opened} onClose={close} />}
      </Suspense>
    </ShowContext.Provider>
  );
}

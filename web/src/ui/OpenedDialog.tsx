/** Which dialog answers which wish. The larger ones are loaded on their own. */
import { lazy } from 'react';
import { NAME_CHARS_MAX, TITLE_CHARS_MAX } from '../api/limits';
import { useRoomActs } from '../api/rooms';
import { useSpaceActs } from '../api/spaces';
import { useWords } from '../i18n/hooks';
import type { DialogWish } from './dialogs';
import { MoveDialog } from './MoveDialog';
import { NameDialog } from './NameDialog';

const ShareDialog = lazy(() => import('./ShareDialog').then((m) => ({ default: m.ShareDialog })));
const FolderShareDialog = lazy(() =>
  import('./ShareDialog').then((m) => ({ default: m.FolderShareDialog })),
);
const CodeDialog = lazy(() => import('./CodeDialog').then((m) => ({ default: m.CodeDialog })));
const SpaceDialog = lazy(() => import('./SpaceDialog').then((m) => ({ default: m.SpaceDialog })));
const FindDialog = lazy(() => import('./find/FindDialog').then((m) => ({ default: m.FindDialog })));

interface Props {
  wish: DialogWish;
  opened: boolean;
  onClose: () => void;
}

export default function OpenedDialog({ wish, opened, onClose }: Props) {
  const { t } = useWords();
  const rooms = useRoomActs();
  const spaces = useSpaceActs();
  const frame = { opened, onClose };
  const rename = { title: t('home.rename_title'), yes: t('action.save'), ...frame };
  switch (wish.show) {
    case 'rename_room':
      return (
        <NameDialog
          {...rename}
          label={t('room.title')}
          name={wish.room.title}
          max={TITLE_CHARS_MAX}
          placeholder={t('doc.untitled')}
          onName={(title) => rooms.rename(wish.room.id, title)}
        />
      );
    case 'rename_folder':
      return (
        <NameDialog
          {...rename}
          label={t('folder.name')}
          name={wish.folder.name}
          max={NAME_CHARS_MAX}
          onName={(name) => spaces.renameFolder(wish.folder.id, name)}
        />
      );
    case 'rename_space':
      return (
        <NameDialog
          {...rename}
          label={t('space.name')}
          name={wish.space.name}
          max={NAME_CHARS_MAX}
          onName={(name) => spaces.changeSpace(wish.space.id, { name })}
        />
      );
    case 'new_folder':
      return (
        <NameDialog
          {...frame}
          title={t('folder.new')}
          label={t('folder.name')}
          yes={t('action.create')}
          name=""
          max={NAME_CHARS_MAX}
          onName={(name) => spaces.createFolder(wish.place, name)}
        />
      );
    case 'new_space':
      return (
        <NameDialog
          {...frame}
          title={t('space.new')}
          label={t('space.name')}
          yes={t('action.create')}
          name=""
          max={NAME_CHARS_MAX}
          onName={spaces.createSpace}
        />
      );
    case 'move':
      return <MoveDialog what={wish.what} {...frame} />;
    case 'share_room':
      return <ShareDialog room={wish.room} {...frame} />;
    case 'share_folder':
      return <FolderShareDialog folder={wish.folder} {...frame} />;
    case 'code':
      return <CodeDialog room={wish.room} {...frame} />;
    case 'space':
      return <SpaceDialog id={wish.id} tab={wish.tab} {...frame} />;
    case 'find':
      return <FindDialog {...frame} />;
  }
}

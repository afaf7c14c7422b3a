/** Rooms and folders as things to move. */
import type { Movable } from '../api/spaces';
import type { Folder, RoomInfo } from '../api/types';
import { shownTitle } from '../i18n/names';

export function movableRoom(
  room: Pick<RoomInfo, 'id' | 'title' | 'right' | 'space' | 'folder'>,
  untitled: string,
): Movable | null {
  if (!mayMove(room.right)) return null;
  return {
    kind: 'room',
    id: room.id,
    name: shownTitle(room.title, untitled),
    at: room.space === null ? null : { space: room.space.id, folder: room.folder?.id ?? null },
  };
}

export function movableFolder({ id, name, space, parent, right }: Folder): Movable | null {
  return mayMove(right) ? { kind: 'folder', id, name, at: { space, folder: parent } } : null;
}

function mayMove(right: RoomInfo['right']): boolean {
  return right === 'edit' || right === 'manage';
}

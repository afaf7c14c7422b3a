/**
 * The rows of a tree of spaces, folders and rooms: what is open, flattened in the order in which
 * it is read. Plain data, so that keys and looks need not know what a row stands for.
 */
import type { Folder, RoomInfo, Space, SpaceContent } from '../../api/types';
import { compareNames } from '../../i18n/names';

export type Node =
  | { kind: 'space'; space: Space }
  | { kind: 'folder'; folder: Folder; space: Space }
  | { kind: 'room'; room: RoomInfo }
  | { kind: 'starred' };

export interface Row {
  /** Unique in its tree. */
  key: string;
  node: Node;
  name: string;
  /** From 1. */
  level: number;
  /** From 1, among those of the same parent. */
  position: number;
  siblings: number;
  parent: string | null;
  /** Null: nothing can be in it. */
  open: boolean | null;
}

export interface Names {
  space: (space: Space) => string;
  room: (room: RoomInfo) => string;
}

interface Source {
  spaces: readonly Space[];
  /** What is known of the spaces that are open. */
  contents: ReadonlyMap<string, SpaceContent>;
  isOpen: (key: string) => boolean;
  names: Names;
  /** Whether rooms are shown, too. */
  rooms: boolean;
}

export const keyOf = {
  space: (id: string): string => `space ${id}`,
  folder: (id: string): string => `folder ${id}`,
  room: (id: string): string => `room ${id}`,
  starred: 'starred',
};

/** My own, then teams by name, the gallery, and at the end what is archived. */
export function inOrder(spaces: readonly Space[]): Space[] {
  const rank = ({ kind, archived_at: archived }: Space): number =>
    archived !== null ? 3 : ['personal', 'team', 'gallery'].indexOf(kind);
  return [...spaces].sort((one, other) => rank(one) - rank(other) || compareNames(one.name, other.name));
}

export function spaceRows(source: Source): Row[] {
  const { spaces, contents, isOpen, names } = source;
  return inOrder(spaces).flatMap((space, index) => {
    const key = keyOf.space(space.id);
    const open = isOpen(key);
    const row: Row = {
      key,
      node: { kind: 'space', space },
      name: names.space(space),
      level: 1,
      position: index + 1,
      siblings: spaces.length,
      parent: null,
      open,
    };
    const content = contents.get(space.id);
    return open && content !== undefined ? [row, ...inside(source, space, content, null, row)] : [row];
  });
}

function inside(source: Source, space: Space, content: SpaceContent, parent: string | null, above: Row): Row[] {
  const { isOpen, names } = source;
  const known = new Set(content.folders.map(({ id }) => id));
  // What stands in a folder that I may not see is shown at the top.
  const standsHere = (folder: string | null) => (folder !== null && known.has(folder) ? folder : null) === parent;
  const folders = content.folders
    .filter((folder) => standsHere(folder.parent))
    .sort((one, other) => compareNames(one.name, other.name));
  const rooms = source.rooms
    ? content.rooms
        .filter((room) => standsHere(room.folder?.id ?? null))
        .sort((one, other) => compareNames(names.room(one), names.room(other)))
    : [];
  const siblings = folders.length + rooms.length;
  const level = above.level + 1;
  const place = (index: number) => ({ level, siblings, position: index + 1, parent: above.key });
  return [
    ...folders.flatMap((folder, index) => {
      const key = keyOf.folder(folder.id);
      const open = isOpen(key);
      const node: Node = { kind: 'folder', folder, space };
      const row: Row = { key, node, name: folder.name, open, ...place(index) };
      return open ? [row, ...inside(source, space, content, folder.id, row)] : [row];
    }),
    ...rooms.map((room, index) => roomRow(room, names, place(folders.length + index))),
  ];
}

function roomRow(
  room: RoomInfo,
  names: Names,
  place: Pick<Row, 'level' | 'siblings' | 'position' | 'parent'>,
): Row {
  return { key: keyOf.room(room.id), node: { kind: 'room', room }, name: names.room(room), open: null, ...place };
}

/** One row that opens into the rooms I have starred. */
export function starredRows(rooms: readonly RoomInfo[], name: string, open: boolean, names: Names): Row[] {
  const head: Row = {
    key: keyOf.starred,
    node: { kind: 'starred' },
    name,
    level: 1,
    position: 1,
    siblings: 1,
    parent: null,
    open,
  };
  if (!open) return [head];
  return [
    head,
    ...rooms.map((room, index) =>
      roomRow(room, names, { level: 2, siblings: rooms.length, position: index + 1, parent: head.key }),
    ),
  ];
}

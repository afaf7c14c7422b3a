/** Dragging rooms and folders to folders and spaces. Every drag has its twin in the Move dialog. */
import { useEffect, useRef, useState, type RefObject } from 'react';
import { mayMakeIn, pathOf, useSpaceActs, type Movable } from '../../api/spaces';
import type { Folder, Place, Space } from '../../api/types';

export type DragSource = Movable;

export interface DropTarget {
  place: Place;
  name: string;
  /** The folders that the place stands in, itself included. */
  path: readonly string[];
}

/** A folder as a place to move things to; null if I may not. */
export function dropFolder(folder: Folder, all: readonly Folder[]): DropTarget | null {
  if (folder.right !== 'edit' && folder.right !== 'manage') return null;
  const path = pathOf(all, folder.id).map(({ id }) => id);
  return { place: { space: folder.space, folder: folder.id }, name: folder.name, path };
}

/** The top of a space as a place to move things to; null if I may not. */
export function dropSpace(space: Space, name: string): DropTarget | null {
  return mayMakeIn(space) ? { place: { space: space.id, folder: null }, name, path: [] } : null;
}

/** Whether something can be moved to a place: it is not there already, nor is the place in it. */
export function canMove({ kind, id, at }: Movable, { place, path }: DropTarget): boolean {
  if (at !== null && at.space === place.space && at.folder === place.folder) return false;
  return !(kind === 'folder' && path.includes(id));
}

/** Makes an element something to drag, something to drop on, or both. */
export function useDrag(
  element: RefObject<HTMLElement | null>,
  source: DragSource | null,
  target: DropTarget | null,
): { dragging: boolean; over: boolean } {
  const acts = useSpaceActs();
  const [dragging, setDragging] = useState(false);
  const [over, setOver] = useState(false);
  const latest = useRef({ source, target, acts });
  latest.current = { source, target, acts };
  const drags = source !== null;
  const takes = target !== null;
  useEffect(() => {
    let stop: (() => void) | null = null;
    let current = true;
    void import('./dragging').then(({ attach }) => {
      if (!current || element.current === null) return;
      stop = attach(element.current, {
        ...(drags ? { source: () => latest.current.source } : {}),
        onDragging: setDragging,
        ...(takes ? { takes: (what) => fits(what, latest.current.target) } : {}),
        onOver: setOver,
        onDrop: (what) => {
          const { target: to, acts: now } = latest.current;
          if (to !== null) void now.move(what, to.place, to.name);
        },
      });
    });
    return () => {
      current = false;
      stop?.();
    };
  }, [element, drags, takes]);
  return { dragging, over };
}

function fits(what: Movable, target: DropTarget | null): boolean {
  return target !== null && canMove(what, target);
}

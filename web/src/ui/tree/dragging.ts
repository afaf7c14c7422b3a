/** Elements that can be dragged and dropped on; loaded after what they belong to is shown. */
import { combine } from '@atlaskit/pragmatic-drag-and-drop/combine';
import { draggable, dropTargetForElements } from '@atlaskit/pragmatic-drag-and-drop/element/adapter';
import type { Movable } from '../../api/spaces';

export interface Dragging {
  /** What is dragged with the element; absent: it stays. */
  source?: () => Movable | null;
  onDragging: (dragging: boolean) => void;
  /** Whether something may be dropped here; absent: nothing. */
  takes?: (what: Movable) => boolean;
  onOver: (over: boolean) => void;
  onDrop: (what: Movable) => void;
}

const movables = new WeakMap<object, Movable>();

/** Gives what undoes it. */
export function attach(element: HTMLElement, dragging: Dragging): () => void {
  const { source, takes, onDragging, onOver, onDrop } = dragging;
  const stops: (() => void)[] = [];
  if (source !== undefined) {
    stops.push(
      draggable({
        element,
        getInitialData: () => {
          const data = {};
          const what = source();
          if (what !== null) movables.set(data, what);
          return data;
        },
        onDragStart: () => onDragging(true),
        onDrop: () => onDragging(false),
      }),
    );
  }
  if (takes !== undefined) {
    const fitting = (data: object): Movable | undefined => {
      const what = movables.get(data);
      return what !== undefined && takes(what) ? what : undefined;
    };
    stops.push(
      dropTargetForElements({
        element,
        canDrop: ({ source: { data } }) => fitting(data) !== undefined,
        onDragEnter: () => onOver(true),
        onDragLeave: () => onOver(false),
        onDrop: ({ source: { data } }) => {
          onOver(false);
          const what = fitting(data);
          if (what !== undefined) onDrop(what);
        },
      }),
    );
  }
  return combine(...stops);
}

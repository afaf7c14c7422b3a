/**
 * A tree for the keyboard, the mouse and screen readers. One row is in the order of Tab; arrows
 * lead to the others. What a row looks like and leads to is its owner's.
 */
import { IconChevronRight } from '@tabler/icons-react';
import { useEffect, useRef, useState, type KeyboardEvent, type MouseEvent, type ReactNode } from 'react';
import { isImeKey } from '../ime';
import { useDrag, type DragSource, type DropTarget } from './drag';
import { treeFind, treeMove } from './keys';
import type { Row } from './rows';
import classes from './Tree.module.css';

/** Letters typed within this time are one word, in milliseconds. */
const TYPED_MS = 700;
/** A closed row opens when something is held above it for this long, in milliseconds. */
const HOVER_OPENS_MS = 600;

export interface TreeProps {
  label: string;
  rows: readonly Row[];
  /** The row of the page that is shown. */
  current?: string | null;
  /** In a tree to choose from: the row that is chosen. */
  selected?: string | null;
  onToggle: (keys: string[], open: boolean) => void;
  /** Enter, or in a tree to choose from a press. */
  onActivate: (row: Row, element: HTMLElement) => void;
  /** Icon and name. */
  face: (row: Row) => ReactNode;
  /** Said after the name. */
  describe: (row: Row) => string;
  /** What stands at the end of a row. */
  actions?: (row: Row) => ReactNode;
  onMenu?: (row: Row, element: HTMLElement, at: { x: number; y: number } | null) => void;
  onRename?: (row: Row, element: HTMLElement) => void;
  drag?: (row: Row) => DragSource | null;
  drop?: (row: Row) => DropTarget | null;
}

export function Tree(props: TreeProps) {
  const { label, rows, current = null, selected, onToggle, onActivate, onMenu, onRename } = props;
  const [focused, setFocused] = useState<string | null>(null);
  const elements = useRef(new Map<string, HTMLElement>());
  const typed = useRef({ text: '', at: 0 });
  const has = (key: string | null | undefined) => rows.some((row) => row.key === key);
  const reachable = [focused, selected, current].find(has) ?? rows[0]?.key;

  const onKeyDown = (event: KeyboardEvent) => {
    const at = rows.find((row) => elements.current.get(row.key) === event.target);
    if (at === undefined || isImeKey(event.nativeEvent)) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const element = event.target as HTMLElement;
    if (event.key === 'F2' && onRename !== undefined) {
      event.preventDefault();
      return onRename(at, element);
    }
    const typing = typed.current.text !== '' && event.timeStamp - typed.current.at < TYPED_MS;
    // A space within a name that is being typed is part of it.
    const move = typing && event.key === ' ' ? null : treeMove(rows, at.key, event.key);
    if (move !== null) {
      event.preventDefault();
      if ('to' in move) elements.current.get(move.to)?.focus();
      else if ('open' in move) onToggle(move.open, true);
      else if ('close' in move) onToggle([move.close], false);
      else onActivate(at, element);
    } else if (event.key.length === 1) {
      event.preventDefault();
      typed.current = { text: (typing ? typed.current.text : '') + event.key, at: event.timeStamp };
      const found = treeFind(rows, at.key, typed.current.text);
      if (found !== null) elements.current.get(found)?.focus();
    }
  };

  return (
    <div role="tree" aria-label={label} className={classes.tree} onKeyDown={onKeyDown}>
      {rows.map((row) => (
        <TreeRow
          key={row.key}
          {...props}
          row={row}
          reachable={row.key === reachable}
          register={(element) => {
            if (element === null) elements.current.delete(row.key);
            else elements.current.set(row.key, element);
          }}
          onFocused={() => setFocused(row.key)}
          onContextMenu={(event) => {
            if (onMenu === undefined) return;
            event.preventDefault();
            // The key for menus tells no place of its own.
            const at = event.button === 2 ? { x: event.clientX, y: event.clientY } : null;
            onMenu(row, event.currentTarget, at);
          }}
        />
      ))}
    </div>
  );
}

interface RowProps extends TreeProps {
  row: Row;
  reachable: boolean;
  register: (element: HTMLElement | null) => void;
  onFocused: () => void;
  onContextMenu: (event: MouseEvent<HTMLElement>) => void;
}

function TreeRow(props: RowProps) {
  const { row, reachable, register, current, selected, onToggle, onActivate } = props;
  const picks = selected !== undefined;
  const box = useRef<HTMLDivElement>(null);
  const { dragging, over } = useDrag(box, props.drag?.(row) ?? null, props.drop?.(row) ?? null);
  const toggle = useRef(onToggle);
  toggle.current = onToggle;
  const { key, open } = row;
  useEffect(() => {
    if (!over || open !== false) return;
    const timer = setTimeout(() => toggle.current([key], true), HOVER_OPENS_MS);
    return () => clearTimeout(timer);
  }, [over, open, key]);

  return (
    <div
      ref={(element) => {
        box.current = element;
        register(element);
      }}
      role="treeitem"
      aria-label={row.name}
      aria-description={props.describe(row)}
      aria-level={row.level}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      {...(open === null ? {} : { 'aria-expanded': open })}
      {...(picks ? { 'aria-selected': row.key === selected } : {})}
      {...(row.key === current ? { 'aria-current': 'page' as const } : {})}
      tabIndex={reachable ? 0 : -1}
      className={classes.row}
      style={{ paddingInlineStart: (row.level - 1) * 16 }}
      data-active={row.key === (picks ? selected : current) || undefined}
      data-dragging={dragging || undefined}
      data-over={over || undefined}
      {...(picks && reachable ? { 'data-autofocus': true } : {})}
      onFocus={(event) => {
        if (event.target === event.currentTarget) props.onFocused();
      }}
      onContextMenu={props.onContextMenu}
      {...(picks ? { onClick: (event: MouseEvent<HTMLElement>) => onActivate(row, event.currentTarget) } : {})}
    >
      {open === null ? (
        <span className={classes.chevron} />
      ) : (
        <span
          className={classes.chevron}
          aria-hidden="true"
          data-testid="tree-toggle"
          onClick={(event) => {
            event.stopPropagation();
            onToggle([key], !open);
          }}
        >
          <IconChevronRight size={16} stroke={1.5} data-open={open || undefined} />
        </span>
      )}
      {props.face(row)}
      {props.actions?.(row)}
    </div>
  );
}

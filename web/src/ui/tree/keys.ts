/** What the keys of a tree do, after the ARIA pattern for trees. */
import type { Row } from './rows';

export type TreeMove =
  | { to: string }
  | { open: string[] }
  | { close: string }
  | { activate: string }
  | null;

/** `key` as browsers call it; `at` is the row that has the focus. */
export function treeMove(rows: readonly Row[], at: string, key: string): TreeMove {
  const index = rows.findIndex((row) => row.key === at);
  const row = rows[index];
  if (row === undefined) return null;
  const to = (target: Row | undefined): TreeMove => (target === undefined ? null : { to: target.key });
  switch (key) {
    case 'ArrowDown':
      return to(rows[index + 1]);
    case 'ArrowUp':
      return to(rows[index - 1]);
    case 'Home':
      return to(rows[0]);
    case 'End':
      return to(rows.at(-1));
    case 'ArrowRight':
      if (row.open === false) return { open: [row.key] };
      return rows[index + 1]?.parent === row.key ? to(rows[index + 1]) : null;
    case 'ArrowLeft':
      if (row.open === true) return { close: row.key };
      return row.parent === null ? null : { to: row.parent };
    case '*':
      return { open: rows.filter((one) => one.parent === row.parent && one.open === false).map((one) => one.key) };
    case 'Enter':
    case ' ':
      return { activate: row.key };
    default:
      return null;
  }
}

/** The next row after `at` whose name begins with what was typed. */
export function treeFind(rows: readonly Row[], at: string, typed: string): string | null {
  const start = rows.findIndex((row) => row.key === at);
  const fits = (row: Row) => row.name.toLocaleLowerCase().startsWith(typed.toLocaleLowerCase());
  // One who types on stays on a row that still fits.
  const first = typed.length > 1 ? start : start + 1;
  const found = [...rows.slice(first), ...rows.slice(0, first)].find(fits);
  return found?.key ?? null;
}

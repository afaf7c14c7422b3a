/** Which rows of the tree are open, remembered in this browser. */
import { useState } from 'react';

const STORED = 'weft.tree.open';

function stored(): Record<string, boolean> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(STORED) ?? '{}');
    return typeof value === 'object' && value !== null ? (value as Record<string, boolean>) : {};
  } catch {
    return {};
  }
}

export interface OpenRows {
  /** What was said of a row, else `byDefault`. */
  isOpen: (key: string, byDefault: boolean) => boolean;
  setOpen: (keys: string[], open: boolean) => void;
}

export function useOpenRows(): OpenRows {
  const [said, setSaid] = useState(stored);
  return {
    isOpen: (key, byDefault) => said[key] ?? byDefault,
    setOpen: (keys, open) => {
      const next = { ...said, ...Object.fromEntries(keys.map((key) => [key, open])) };
      setSaid(next);
      try {
        localStorage.setItem(STORED, JSON.stringify(next));
      } catch {
        // Without storage it lasts as long as the page.
      }
    },
  };
}

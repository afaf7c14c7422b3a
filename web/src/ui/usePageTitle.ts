import { useEffect } from 'react';
import { useUnread } from '../app/inbox';

/** `• (3) Q4 plan · Weft`; the dot while a change is unsaved, the number of new notices. */
export function pageTitle(title: string, unsaved: boolean, unread = 0): string {
  const count = unread === 0 ? '' : `(${badge(unread)}) `;
  return `${unsaved ? '• ' : ''}${count}${title} · Weft`;
}

export function badge(count: number): string {
  return count > 99 ? '99+' : String(count);
}

export function usePageTitle(title: string, unsaved = false): void {
  const unread = useUnread();
  useEffect(() => {
    document.title = title === '' ? 'Weft' : pageTitle(title, unsaved, unread);
  }, [title, unsaved, unread]);
}

import { useEffect } from 'react';

/** `• Q4 plan · Weft`; the dot while a change is unsaved. */
export function pageTitle(title: string, unsaved: boolean): string {
  return `${unsaved ? '• ' : ''}${title} · Weft`;
}

export function usePageTitle(title: string, unsaved = false): void {
  useEffect(() => {
    document.title = title === '' ? 'Weft' : pageTitle(title, unsaved);
  }, [title, unsaved]);
}

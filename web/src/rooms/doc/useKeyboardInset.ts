import { useEffect } from 'react';

/**
 * How far the on-screen keyboard covers the page, as `--weft-keyboard`. Browsers that shrink the
 * page for it (`interactive-widget=resizes-content`) come out at 0.
 */
export function useKeyboardInset(): void {
  useEffect(() => {
    const viewport = window.visualViewport;
    if (viewport === null) return;
    const root = document.documentElement;
    const measure = () => {
      const covered = window.innerHeight - viewport.height - viewport.offsetTop;
      root.style.setProperty('--weft-keyboard', `${Math.max(0, Math.round(covered))}px`);
    };
    measure();
    viewport.addEventListener('resize', measure);
    viewport.addEventListener('scroll', measure);
    return () => {
      viewport.removeEventListener('resize', measure);
      viewport.removeEventListener('scroll', measure);
      root.style.removeProperty('--weft-keyboard');
    };
  }, []);
}

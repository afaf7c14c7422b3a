/** How shortcuts are written: Ctrl, or ⌘ on a Mac. */
const MAC = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform);

export function shortcutText(keys: string): string {
  return MAC ? keys.replace('Ctrl', 'Cmd') : keys;
}

/** Ctrl, or Cmd on a Mac; never both. */
export function isMod(event: { ctrlKey: boolean; metaKey: boolean }): boolean {
  return MAC ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
}

/** Whether single letters typed here are text. */
export function isTextTarget(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

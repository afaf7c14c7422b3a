/**
 * Copies text. Without https (other than localhost) browsers have no clipboard API; then the old
 * way through a selection is tried. False: the person has to copy by hand.
 */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const before = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  area.setAttribute('readonly', '');
  area.style.position = 'fixed';
  area.style.opacity = '0';
  // Inside an open dialog, whose focus trap would take the selection back.
  (before?.closest('[role="dialog"]') ?? document.body).append(area);
  area.select();
  const copied = copySelection();
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return copied;
}

function copySelection(): boolean {
  try {
    return document.execCommand('copy');
  } catch {
    return false;
  }
}

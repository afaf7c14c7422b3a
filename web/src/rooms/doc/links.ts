/** Addresses that a link may lead to. */

const ALLOWED = new Set(['http:', 'https:', 'mailto:', 'tel:']);

/** Whether an address, as it stands, is safe to follow. */
export function isLinkTarget(address: string): boolean {
  try {
    return ALLOWED.has(new URL(address).protocol);
  } catch {
    return false;
  }
}

/** What a person typed, as an address; null if it is none. */
export function linkFrom(typed: string): string | null {
  const text = typed.trim().replace(/。/g, '.').replace(/：/g, ':');
  if (text === '' || /\s/.test(text)) return null;
  if (/^[^@/:]+@[^@/:]+\.[^@/:]+$/.test(text)) return `mailto:${text}`;
  const scheme = /^([a-z][a-z0-9+.-]*):(?!\d+(?:\/|$))/i.exec(text);
  if (scheme !== null) return isLinkTarget(text) ? text : null;
  const host = text.split(/[/?#]/)[0] ?? '';
  if (!/^(?:localhost|[^.\s]+(?:\.[^.\s]+)+)(?::\d+)?$/i.test(host)) return null;
  const address = `https://${text}`;
  return isLinkTarget(address) ? address : null;
}

/**
 * A room's link, as an address shows it: `/o/ROOM#k=SECRET`. The secret stays there for guests, who have nothing
 * else to come back with; who is signed in holds the link once it was opened, and needs it no more.
 */
export interface HeldLink {
  room: string;
  secret: string;
}

/** Where a link waits while the browser is with a provider, in this tab alone. */
const STASHED = 'weft.link';

/** A link that somebody has come by who went to sign in first. */
let carried: HeldLink | null = unstash();

/** Keeps the carried link also while the browser leaves the app to sign in elsewhere. */
export function stashLink(): void {
  if (carried !== null) window.sessionStorage.setItem(STASHED, JSON.stringify(carried));
}

function unstash(): HeldLink | null {
  try {
    const stashed = window.sessionStorage.getItem(STASHED);
    window.sessionStorage.removeItem(STASHED);
    const link = JSON.parse(stashed ?? 'null') as Partial<HeldLink> | null;
    const { room, secret } = link ?? {};
    return typeof room === 'string' && typeof secret === 'string' ? { room, secret } : null;
  } catch {
    // Without storage, or with what others put there, nothing is carried.
    return null;
  }
}

/** The link to this room that somebody has come by, if so. */
export function linkTo(room: string): HeldLink | null {
  const secret = /^#k=(.+)$/.exec(window.location.hash)?.[1];
  if (secret !== undefined && pathRoom() === room) return { room, secret };
  return carried?.room === room ? carried : null;
}

/** The link in the address, whichever room it leads to. */
export function linkInAddress(): HeldLink | null {
  const room = pathRoom();
  return room === null ? null : linkTo(room);
}

/** Keeps a link, for as long as the page lives, over what comes in between. */
export function carryLink(link: HeldLink): void {
  carried = link;
}

/** It has been opened, or does not open. */
export function dropLink(): void {
  carried = null;
  if (!window.location.hash.startsWith('#k=')) return;
  const { pathname, search } = window.location;
  window.history.replaceState(window.history.state, '', pathname + search);
}

function pathRoom(): string | null {
  return /^\/o\/([^/]+)\/?$/.exec(window.location.pathname)?.[1] ?? null;
}

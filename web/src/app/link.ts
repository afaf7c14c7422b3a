/**
 * A room's link, as an address shows it: `/o/ROOM#k=SECRET`. The secret stays there for guests, who have nothing
 * else to come back with; who is signed in holds the link once it was opened, and needs it no more.
 */
export interface HeldLink {
  room: string;
  secret: string;
}

/** A link that somebody has come by who went to sign in first. */
let carried: HeldLink | null = null;

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

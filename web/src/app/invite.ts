/**
 * An invite link, as the address shows it: `/invite#SECRET`. While the browser is with a provider it waits in this tab
 * alone, for the page to take it up again.
 */
import { takeHashSecret } from './secret';

export interface HeldInvite {
  secret: string;
  /** It is known to lead to the workspace and into no room; it may be used up by now. */
  toWorkspace: boolean;
}

const STASHED = 'weft.invite';

/** Keeps the link while the browser leaves the app. */
export function stashInvite(invite: HeldInvite): void {
  window.sessionStorage.setItem(STASHED, JSON.stringify(invite));
}

/** The link of the address or else the one that has waited, once. Without either the secret is empty. */
export function takeInvite(): HeldInvite {
  const secret = takeHashSecret();
  const stashed = unstash();
  return secret === '' && stashed !== null ? stashed : { secret, toWorkspace: false };
}

function unstash(): HeldInvite | null {
  try {
    const stashed = window.sessionStorage.getItem(STASHED);
    window.sessionStorage.removeItem(STASHED);
    const invite = JSON.parse(stashed ?? 'null') as Partial<HeldInvite> | null;
    const { secret, toWorkspace } = invite ?? {};
    return typeof secret === 'string' && typeof toWorkspace === 'boolean' ? { secret, toWorkspace } : null;
  } catch {
    // Without storage, or with what others put there, nothing has waited.
    return null;
  }
}

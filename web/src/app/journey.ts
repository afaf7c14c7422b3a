/**
 * The way to a provider of OpenID Connect and back: the browser leaves the app, and comes back with news in the
 * address. They are read when the app starts, before anything else changes the address, and taken out of it.
 */
import { htmlLang, type Language } from '../i18n';
import { stashLink } from './link';

export interface News {
  /** The code of what went wrong. */
  failed: string | null;
  /** What has been done. */
  done: string | null;
}

const NONE: News = { failed: null, done: null };
let latest = read();

function read(): News {
  const { pathname, search, hash } = window.location;
  const query = new URLSearchParams(search);
  const news = { failed: query.get('failed'), done: query.get('oidc') };
  if (news.failed === null && news.done === null) return NONE;
  query.delete('failed');
  query.delete('oidc');
  const rest = query.size === 0 ? '' : `?${query.toString()}`;
  window.history.replaceState(window.history.state, '', pathname + rest + hash);
  return news;
}

export const news = (): News => latest;

/** They have been told. */
export function newsTold(): void {
  latest = NONE;
}

/** Where a browser goes that signs in by way of the provider, and on to a path of the app. */
export function startPath(next: string | undefined, language: Language): string {
  const query = new URLSearchParams({ ...(next === undefined ? {} : { return: next }), language: htmlLang(language) });
  return `/api/v1/auth/oidc/start?${query.toString()}`;
}

/** Leaves the app; what it was about to open is not forgotten. */
export function leaveFor(url: string): void {
  stashLink();
  window.location.assign(url);
}

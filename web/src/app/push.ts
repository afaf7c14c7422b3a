/**
 * Notices on the screen of a browser whose pages need not be open.
 *
 * Not here: what is shown (`public/push.js`), and when (the server).
 */
import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { Api } from '../api/client';
import type { InboxView } from '../sync';

/** `install`: only once the app is on the home screen; `blocked`: the browser's settings of this site say no. */
export type PushState = 'on' | 'off' | 'blocked' | 'install' | 'never';

/** What the service worker asks of a page. */
interface Wish {
  weft: 'open';
  path: string;
}

/** Neither without https, nor in every browser. */
const isThere = (): boolean => 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

const isApple = (): boolean => /iPhone|iPad/.test(navigator.userAgent);

/** None where the browser forbids it, as private windows do. */
const registered = async (): Promise<ServiceWorkerRegistration | undefined> =>
  isThere() ? navigator.serviceWorker.getRegistration('/').catch(() => undefined) : undefined;

/** Whether notices of this sign-in show here. */
export async function pushState(api: Api): Promise<PushState> {
  if (!isThere()) return window.isSecureContext && isApple() ? 'install' : 'never';
  if (Notification.permission === 'denied') return 'blocked';
  const { endpoint } = await api.push();
  const subscription = await (await registered())?.pushManager.getSubscription();
  return endpoint !== null && subscription?.endpoint === endpoint ? 'on' : 'off';
}

/** Asks whoever sits there, who may decline; has to be called in answer to a click. */
export async function turnPushOn(api: Api): Promise<void> {
  if ((await Notification.requestPermission()) !== 'granted') return;
  const { public_key: key } = await api.push();
  await navigator.serviceWorker.register('/push.js');
  const { pushManager } = await navigator.serviceWorker.ready;
  // One that listens to another server's key can be told nothing.
  await (await pushManager.getSubscription())?.unsubscribe();
  const options = { userVisibleOnly: true, applicationServerKey: key };
  const { endpoint, keys } = (await pushManager.subscribe(options)).toJSON();
  await api.setPush({ endpoint, p256dh: keys?.['p256dh'], auth: keys?.['auth'] });
}

export async function turnPushOff(api: Api): Promise<void> {
  await api.removePush();
  await forgetPush();
}

/** Nothing of what was told here stays on the screen, and nothing more comes. */
export async function forgetPush(): Promise<void> {
  const registration = await registered();
  if (registration === undefined) return;
  for (const shown of await registration.getNotifications()) shown.close();
  const subscription = await registration.pushManager.getSubscription();
  // The server sends nothing there any more, whether or not the push service hears of it.
  await subscription?.unsubscribe().catch(() => false);
}

/** What is read anywhere leaves the screen here, and what is clicked there opens in this page. */
export function usePush(view: InboxView | null): void {
  const navigate = useNavigate();
  useEffect(() => {
    if (view !== null) void closeRead(view);
  }, [view]);
  useEffect(() => {
    if (!isThere()) return;
    const onMessage = ({ data, ports }: MessageEvent<Partial<Wish> | null>) => {
      if (data?.weft !== 'open' || typeof data.path !== 'string' || !data.path.startsWith('/')) return;
      ports[0]?.postMessage(true);
      void navigate({ to: data.path });
    };
    navigator.serviceWorker.addEventListener('message', onMessage);
    return () => navigator.serviceWorker.removeEventListener('message', onMessage);
  }, [navigate]);
}

async function closeRead(view: InboxView): Promise<void> {
  const registration = await registered();
  if (registration === undefined) return;
  const newest = view.notices[0]?.id ?? 0;
  const unread = new Set(view.notices.filter(({ read }) => !read).map(({ id }) => id));
  for (const shown of await registration.getNotifications()) {
    const id = Number(/^notice-(\d+)$/.exec(shown.tag)?.[1] ?? 0);
    // What this page has not heard of yet stays.
    const isOver = id === 0 ? unread.size === 0 : id <= newest && !unread.has(id);
    if (isOver) shown.close();
  }
}

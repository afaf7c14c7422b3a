/** Routes. Every page but sign-in and its kin is loaded on first need. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { homeTab, type HomeTab } from './homeTabs';
import { NotFoundPage } from '../pages/NotFoundPage';
import { SignInPage } from '../pages/SignInPage';

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFoundPage });

/** A page to go on to after signing in: only a path of our own. */
function ownPath(value: unknown): string | undefined {
  return typeof value === 'string' && /^\/(?![/\\])/.test(value) ? value : undefined;
}

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/signin',
  validateSearch: (search: Record<string, unknown>): { next?: string; step?: 'code' } => {
    const next = ownPath(search['next']);
    return {
      ...(next === undefined ? {} : { next }),
      ...(search['step'] === 'code' ? { step: 'code' } : {}),
    };
  },
  component: SignInPage,
});
const register = createRoute({
  getParentRoute: () => root,
  path: '/register',
  component: lazyRouteComponent(() => import('../pages/RegisterPage'), 'RegisterPage'),
});
const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: lazyRouteComponent(() => import('../pages/SetupPage'), 'SetupPage'),
});
const invite = createRoute({
  getParentRoute: () => root,
  path: '/invite',
  component: lazyRouteComponent(() => import('../pages/InvitePage'), 'InvitePage'),
});

const forgotten = createRoute({
  getParentRoute: () => root,
  path: '/forgotten',
  component: lazyRouteComponent(() => import('../pages/ForgottenPage'), 'ForgottenPage'),
});
const reset = createRoute({
  getParentRoute: () => root,
  path: '/reset',
  component: lazyRouteComponent(() => import('../pages/ResetPage'), 'ResetPage'),
});
const verify = createRoute({
  getParentRoute: () => root,
  path: '/verify',
  component: lazyRouteComponent(() => import('../pages/VerifyPage'), 'VerifyPage'),
});

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: lazyRouteComponent(() => import('../ui/Shell'), 'Shell'),
});
const index = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/home' });
  },
});
const home = createRoute({
  getParentRoute: () => shell,
  path: '/home',
  validateSearch: (search: Record<string, unknown>): { tab?: HomeTab } => {
    const tab = homeTab(search['tab']);
    return tab === undefined ? {} : { tab };
  },
  component: lazyRouteComponent(() => import('../pages/HomePage'), 'HomePage'),
});
const SpacePage = lazyRouteComponent(() => import('../pages/SpacePage'), 'SpacePage');
const space = createRoute({ getParentRoute: () => shell, path: '/space/$id', component: SpacePage });
const folder = createRoute({
  getParentRoute: () => shell,
  path: '/space/$id/$folder',
  component: SpacePage,
});
const trash = createRoute({
  getParentRoute: () => shell,
  path: '/trash',
  component: lazyRouteComponent(() => import('../pages/TrashPage'), 'TrashPage'),
});
const tokens = createRoute({
  getParentRoute: () => shell,
  path: '/tokens',
  component: lazyRouteComponent(() => import('../pages/TokensPage'), 'TokensPage'),
});
const webhooks = createRoute({
  getParentRoute: () => shell,
  path: '/webhooks/$id',
  component: lazyRouteComponent(() => import('../pages/WebhooksPage'), 'WebhooksPage'),
});
const audit = createRoute({
  getParentRoute: () => shell,
  path: '/audit/$id',
  component: lazyRouteComponent(() => import('../pages/AuditPage'), 'AuditPage'),
});
const inbox = createRoute({
  getParentRoute: () => shell,
  path: '/inbox',
  component: lazyRouteComponent(() => import('../pages/InboxPage'), 'InboxPage'),
});
const settings = createRoute({
  getParentRoute: () => shell,
  path: '/settings',
  component: lazyRouteComponent(() => import('../pages/SettingsPage'), 'SettingsPage'),
});
const admin = createRoute({
  getParentRoute: () => shell,
  path: '/admin',
  component: lazyRouteComponent(() => import('../pages/AdminPage'), 'AdminPage'),
});
const object = createRoute({
  getParentRoute: () => shell,
  path: '/o/$id',
  component: lazyRouteComponent(() => import('../pages/ObjectPage'), 'ObjectPage'),
});

const routeTree = root.addChildren([
  index,
  signIn,
  register,
  setup,
  invite,
  forgotten,
  reset,
  verify,
  shell.addChildren([home, inbox, space, folder, trash, tokens, webhooks, audit, settings, admin, object]),
]);

export function makeRouter() {
  return createRouter({ routeTree, defaultPreload: false, scrollRestoration: true });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}

/** Calls of the HTTP API. Knows no React; `fetch` can be replaced in tests. */
import type {
  AccessRequest,
  AccessToken,
  Account,
  AccountPage,
  AccountQuery,
  Act,
  ActsOf,
  FactorSecret,
  Folder,
  GivenRole,
  Grant,
  Grantee,
  GrantRight,
  GrantTo,
  Guest,
  Identity,
  Invite,
  InviteLook,
  Kind,
  MailState,
  Me,
  Member,
  Named,
  NewAccessToken,
  NewInvite,
  NewWorkspaceInvite,
  Person,
  Place,
  ProfileChange,
  Push,
  PushKeys,
  Quarantined,
  Quotas,
  QuotaSet,
  Registration,
  RegistrationSetting,
  RoomInfo,
  RoomLink,
  RoomLinkChange,
  RoomLinkLook,
  RoomLinkState,
  RoomToken,
  Rules,
  Scope,
  Sharing,
  ShownLink,
  SignIn,
  Space,
  SpaceContent,
  SpacePage,
  Spaces,
  SpacesQuery,
  SpaceStorage,
  Storage,
  User,
  Webhook,
  WebhookDelivery,
  Which,
  WorkspaceInvite,
} from './types';

/** The server's answer when it is not a success. `network` stands for no answer at all. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    readonly params: Readonly<Record<string, unknown>>,
    readonly status: number,
  ) {
    super(code);
    this.name = 'ApiError';
  }
}

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError('client', {}, 0);
}

/** `registration` is absent on servers that do not tell it to strangers. */
export interface SetupAnswer {
  needed: boolean;
  registration?: Registration;
  /** Whether mail leaves the server. */
  mail?: boolean;
  /** By way of whom one can sign in, too. */
  oidc?: { name: string; sign_up: boolean } | null;
}

export interface SetupForm {
  secret: string;
  username: string;
  password: string;
  email?: string;
  name?: string;
  workspace?: string;
  language?: string;
}

export interface RegisterForm {
  username: string;
  password: string;
  email?: string;
  name?: string;
  invite?: string;
  language?: string;
}

export interface SpaceChange {
  name?: string;
  archived?: boolean;
  rules?: Partial<Rules>;
}

export interface WebhookWish {
  name: string;
  url: string;
  events: string[];
}

export type WebhookChange = Partial<WebhookWish> & { on?: boolean };

/** What has grants: a room or a folder. */
export interface Granted {
  kind: 'room' | 'folder';
  id: string;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export class Api {
  /** Asks for the password when a sign-in is too old for what one does; true once it was shown. */
  askAgain: (() => Promise<boolean>) | null = null;

  /** `guest` is the room of which a browser's guest speaks; null: whoever is signed in. */
  constructor(
    private readonly fetcher: typeof fetch = (...args) => fetch(...args),
    private readonly guest: string | null = null,
  ) {}

  setupNeeded = (): Promise<SetupAnswer> => this.call('GET', '/auth/setup');
  setup = (form: SetupForm): Promise<{ user: User; welcome_room: string }> =>
    this.call('POST', '/auth/setup', form);
  register = (form: RegisterForm): Promise<{ user: User }> =>
    this.call('POST', '/auth/register', form);
  /** The code is asked for with `second_factor_needed`. */
  login = (username: string, password: string, code: string): Promise<{ user: User }> =>
    this.call('POST', '/auth/login', { username, password, ...(code === '' ? {} : { code }) });
  /** Where the browser is to go to join by an invite link; it comes back to the link's page. */
  joinByProvider = async (invite: string, language: string): Promise<string> =>
    (await this.call<{ url: string }>('POST', '/auth/oidc/join', { invite, language })).url;
  /** After the provider has vouched for somebody with a second factor. */
  showCode = (code: string): Promise<{ user: User }> => this.call('POST', '/auth/oidc/code', { code });
  identity = (): Promise<Identity> => this.call('GET', '/auth/oidc/identity');
  /** Where the browser is to go; it comes back to the settings. */
  linkIdentity = async (password: string): Promise<string> =>
    (await this.call<{ url: string }>('POST', '/auth/oidc/link', { ...shown(password) })).url;
  unlinkIdentity = (password: string): Promise<void> => this.call('POST', '/auth/oidc/unlink', { password });
  /** Where the browser is to go; it comes back to that path. */
  confirmByProvider = async (path: string): Promise<string> =>
    (await this.call<{ url: string }>('POST', '/auth/oidc/confirm', { return: path })).url;
  confirm = (password: string): Promise<void> => this.call('POST', '/auth/confirm', { password });
  logout = (): Promise<void> => this.call('POST', '/auth/logout');
  me = (): Promise<Me> => this.call('GET', '/auth/me');
  changeProfile = async (change: ProfileChange): Promise<User> =>
    (await this.call<{ user: User }>('PATCH', '/auth/me', change)).user;
  changePassword = (password: string, newPassword: string): Promise<void> =>
    this.call('POST', '/auth/password', { ...shown(password), new_password: newPassword });
  beginSecondFactor = (password: string): Promise<FactorSecret> =>
    this.call('POST', '/auth/second-factor', { ...shown(password) });
  /** The recovery codes are in this answer and nowhere else. */
  confirmSecondFactor = async (code: string): Promise<string[]> =>
    (await this.call<{ recovery_codes: string[] }>('POST', '/auth/second-factor/confirm', { code }))
      .recovery_codes;
  turnOffSecondFactor = (password: string, code: string): Promise<void> =>
    this.call('POST', '/auth/second-factor/off', { ...shown(password), code });
  signIns = async (): Promise<SignIn[]> =>
    (await this.call<{ sign_ins: SignIn[] }>('GET', '/auth/sign-ins')).sign_ins;
  endSignIn = (id: string): Promise<void> =>
    this.call('DELETE', `/auth/sign-ins/${encodeURIComponent(id)}`);
  endOtherSignIns = (): Promise<void> => this.call('DELETE', '/auth/sign-ins');
  push = (): Promise<Push> => this.call('GET', '/auth/push');
  setPush = (subscription: PushKeys): Promise<void> => this.call('PUT', '/auth/push', subscription);
  removePush = (): Promise<void> => this.call('DELETE', '/auth/push');

  /** Those without a picture are left out. */
  pictures = async (people: string[]): Promise<Record<string, string>> =>
    (await this.call<{ pictures: Record<string, string> }>('GET', `/pictures?of=${people.join(',')}`)).pictures;
  /** Where it is then. */
  setPicture = async (file: Blob): Promise<string> =>
    (await this.call<{ picture: string }>('PUT', '/auth/picture', file)).picture;
  removePicture = async (): Promise<null> => {
    await this.call('DELETE', '/auth/picture');
    return null;
  };
  askReset = (username: string): Promise<void> =>
    this.call('POST', '/auth/reset/ask', { username });
  resetPassword = (secret: string, password: string): Promise<{ username: string }> =>
    this.call('POST', '/auth/reset', { secret, password });
  verifyEmail = (secret: string): Promise<{ email: string }> =>
    this.call('POST', '/auth/verify', { secret });
  sendVerification = (): Promise<void> => this.call('POST', '/auth/verify/send');
  /** Removes my account for good. */
  leave = (password: string, code: string, heir: string): Promise<void> =>
    this.call('POST', '/auth/leave', {
      ...shown(password),
      ...(code === '' ? {} : { code }),
      ...(heir === '' ? {} : { heir }),
    });

  accounts = (wanted: AccountQuery, after: string | null): Promise<AccountPage> => {
    const given = Object.entries({ ...wanted, after: after ?? '' }).filter(([, value]) => value !== '');
    return this.call('GET', `/admin/people?${new URLSearchParams(given).toString()}`);
  };
  changeAccount = async (id: string, change: { admin?: boolean; active?: boolean }): Promise<Account> =>
    (await this.call<{ person: Account }>('PATCH', accountPath(id), change)).person;
  signOutAccount = (id: string): Promise<void> => this.call('DELETE', `${accountPath(id)}/sign-ins`);
  resetLink = (id: string): Promise<{ url: string; expires_at: number }> =>
    this.call('POST', `${accountPath(id)}/reset-link`);
  deleteAccount = (id: string, heir: string): Promise<void> =>
    this.call('POST', `${accountPath(id)}/delete`, { heir });
  registration = (): Promise<RegistrationSetting> => this.call('GET', '/admin/registration');
  setRegistration = (registration: Registration): Promise<RegistrationSetting> =>
    this.call('PUT', '/admin/registration', { registration });
  allSpaces = ({ kind, sort }: SpacesQuery, after: string | null): Promise<SpacePage> => {
    const query = new URLSearchParams({ kind, sort });
    if (after !== null) query.set('after', after);
    return this.call('GET', `/admin/spaces?${query}`);
  };
  quotas = (): Promise<Quotas> => this.call('GET', '/admin/quotas');
  setQuotas = (quotas: Quotas): Promise<Quotas> => this.call('PUT', '/admin/quotas', quotas);
  setSpaceQuota = (space: string, set: QuotaSet, quota: number | null): Promise<SpaceStorage> =>
    this.call('PUT', `/admin/spaces/${encodeURIComponent(space)}/quota`, {
      quota_set: set,
      ...(quota === null ? {} : { quota }),
    });
  storage = (): Promise<Storage> => this.call('GET', '/admin/storage');
  mailState = (): Promise<MailState> => this.call('GET', '/admin/mail');
  testMail = (): Promise<void> => this.call('POST', '/admin/mail-test');
  versions = (): Promise<{ weft: string; metadata_schema: number }> =>
    this.call('GET', '/admin/versions');
  quarantined = async (): Promise<Quarantined[]> =>
    (await this.call<{ quarantined: Quarantined[] }>('GET', '/admin/quarantine')).quarantined;

  workspaceInvites = async (): Promise<WorkspaceInvite[]> =>
    (await this.call<{ invites: WorkspaceInvite[] }>('GET', '/admin/invites')).invites;
  /** With an address the link works once; without one `usesMax` times. */
  createWorkspaceInvite = (
    expiresInSeconds: number,
    usesMax: number,
    email: string,
  ): Promise<NewWorkspaceInvite> =>
    this.call('POST', '/admin/invites', {
      expires_in_seconds: expiresInSeconds,
      ...(email === '' ? { uses_max: usesMax } : { email }),
    });
  deleteWorkspaceInvite = (id: string): Promise<void> =>
    this.call('DELETE', `/admin/invites/${encodeURIComponent(id)}`);

  rooms = (which: Which): Promise<{ rooms: RoomInfo[]; folders?: Folder[] }> =>
    this.call('GET', `/rooms?which=${which}`);
  /** Without a place it is made in my personal space. */
  createRoom = (kind: Kind, title: string, place: Place | null): Promise<RoomInfo> =>
    this.call('POST', '/rooms', {
      kind,
      title,
      ...(kind === 'doc' ? { template: 'page' } : {}),
      ...(place === null ? {} : { space: place.space, folder: place.folder ?? undefined }),
    });
  room = (id: string): Promise<RoomInfo> => this.call('GET', roomPath(id));
  rename = (id: string, title: string): Promise<RoomInfo> =>
    this.call('PATCH', roomPath(id), { title });
  trash = (id: string): Promise<RoomInfo> => this.call('DELETE', roomPath(id));
  restore = (id: string): Promise<RoomInfo> => this.call('POST', `${roomPath(id)}/restore`);

  moveRoom = (id: string, { space, folder }: Place): Promise<RoomInfo> =>
    this.call('PATCH', roomPath(id), { space, folder });
  star = (id: string, starred: boolean): Promise<void> =>
    this.call(starred ? 'PUT' : 'DELETE', `${roomPath(id)}/star`);

  mute = (id: string, muted: boolean): Promise<void> =>
    this.call(muted ? 'PUT' : 'DELETE', `${roomPath(id)}/mute`);
  /** Answers the same whether or not there is such a room. */
  askForAccess = (id: string): Promise<void> => this.call('POST', `${roomPath(id)}/access-requests`);
  accessRequests = async (id: string): Promise<AccessRequest[]> =>
    (await this.call<{ requests: AccessRequest[] }>('GET', `${roomPath(id)}/access-requests`)).requests;
  /** Null: declined. */
  answerRequest = (id: string, person: string, allow: GrantRight | null): Promise<void> =>
    this.call('POST', `${roomPath(id)}/access-requests/${encodeURIComponent(person)}`, { allow });
  mention = (id: string, person: string, mention: string): Promise<void> =>
    this.call('POST', `${roomPath(id)}/mentions`, { person, mention_id: mention });

  people = (id: string): Promise<{ people: Person[]; grants: Grant[] }> =>
    this.call('GET', `${roomPath(id)}/people`);
  folderGrants = async (id: string): Promise<Grant[]> =>
    (await this.call<{ grants: Grant[] }>('GET', `${folderPath(id)}/grants`)).grants;
  /** Without seconds it lasts until it is taken back. */
  grant = async (
    { kind, id }: Granted,
    to: GrantTo,
    right: GrantRight,
    seconds: number | null,
  ): Promise<Grant> => {
    const body = { ...to, right, ...(seconds === null ? {} : { expires_in_seconds: seconds }) };
    const path = kind === 'room' ? roomPath(id) : folderPath(id);
    return (await this.call<{ grant: Grant }>('POST', `${path}/grants`, body)).grant;
  };
  revoke = ({ kind, id }: Granted, to: Grantee): Promise<void> => {
    const path = kind === 'room' ? roomPath(id) : folderPath(id);
    const whose = 'person' in to ? to.person.id : to.space.id;
    return this.call('DELETE', `${path}/grants/${encodeURIComponent(whose)}`);
  };

  /** Those whose name begins so; of the teams that one is in, if nothing is asked. */
  findPeople = async (asked: string): Promise<Named[]> =>
    (await this.call<{ people: Named[] }>('GET', `/people?q=${encodeURIComponent(asked)}`)).people;

  roomLink = (id: string): Promise<RoomLinkState> => this.call('GET', `${roomPath(id)}/link`);
  setRoomLink = async (id: string, change: RoomLinkChange): Promise<RoomLink> =>
    (await this.call<{ link: RoomLink }>('PUT', `${roomPath(id)}/link`, change)).link;
  renewRoomLink = async (id: string): Promise<RoomLink> =>
    (await this.call<{ link: RoomLink }>('POST', `${roomPath(id)}/link/renew`, {})).link;
  removeRoomLink = (id: string): Promise<void> => this.call('DELETE', `${roomPath(id)}/link`);
  lookAtLink = (shown: ShownLink): Promise<RoomLinkLook> => this.call('POST', '/links/look', shown);
  /** Who is signed in holds the link then, and `guest` is null. */
  openLink = (shown: ShownLink): Promise<{ guest: Guest | null }> =>
    this.call('POST', '/links/open', shown);

  acts = (of: ActsOf, before: number | null): Promise<{ acts: Act[]; more: boolean }> => {
    const query = new URLSearchParams(of.of === 'all' ? { ...of.filter } : {});
    if (before !== null) query.set('before', String(before));
    const about = of.of === 'all' ? '/admin' : of.of === 'room' ? roomPath(of.id) : spacePath(of.id);
    return this.call('GET', `${about}/audit?${query.toString()}`);
  };
  sharing = (): Promise<Sharing> => this.call('GET', '/admin/sharing');
  changeSharing = (change: Partial<Sharing>): Promise<Sharing> =>
    this.call('PATCH', '/admin/sharing', change);

  spaces = (): Promise<Spaces> => this.call('GET', '/spaces');
  createSpace = (name: string): Promise<Space> => this.call('POST', '/spaces', { name });
  space = (id: string): Promise<SpaceContent> => this.call('GET', spacePath(id));
  changeSpace = (id: string, change: SpaceChange): Promise<Space> =>
    this.call('PATCH', spacePath(id), change);
  answerSpace = (id: string, agree: boolean): Promise<unknown> =>
    this.call('POST', `${spacePath(id)}/answer`, { agree });
  handOverSpace = (id: string, username: string): Promise<unknown> =>
    this.call('POST', `${spacePath(id)}/hand-over`, { username });

  members = async (space: string): Promise<Member[]> =>
    (await this.call<{ members: Member[] }>('GET', `${spacePath(space)}/members`)).members;
  inviteMember = async (space: string, username: string, role: GivenRole): Promise<Member> =>
    (await this.call<{ member: Member }>('POST', `${spacePath(space)}/members`, { username, role }))
      .member;
  changeMember = (space: string, username: string, role: GivenRole): Promise<unknown> =>
    this.call('PATCH', memberPath(space, username), { role });
  /** Removes somebody, takes an invitation back or, for oneself, leaves. */
  removeMember = (space: string, username: string): Promise<void> =>
    this.call('DELETE', memberPath(space, username));

  webhooks = (space: string): Promise<{ webhooks: Webhook[]; events: string[] }> =>
    this.call('GET', `${spacePath(space)}/webhooks`);
  /** The secret is shown once. */
  createWebhook = (space: string, wish: WebhookWish): Promise<{ webhook: Webhook; secret: string }> =>
    this.call('POST', `${spacePath(space)}/webhooks`, wish);
  changeWebhook = async (space: string, id: string, change: WebhookChange): Promise<Webhook> =>
    (await this.call<{ webhook: Webhook }>('PATCH', webhookPath(space, id), change)).webhook;
  removeWebhook = (space: string, id: string): Promise<void> =>
    this.call('DELETE', webhookPath(space, id));
  renewWebhookSecret = async (space: string, id: string): Promise<string> =>
    (await this.call<{ secret: string }>('POST', `${webhookPath(space, id)}/secret`, {})).secret;
  testWebhook = (space: string, id: string): Promise<unknown> =>
    this.call('POST', `${webhookPath(space, id)}/test`, {});
  webhookDeliveries = (
    space: string,
    id: string,
    before: number | null,
  ): Promise<{ deliveries: WebhookDelivery[]; more: boolean }> => {
    const from = before === null ? '' : `&before=${before}`;
    return this.call('GET', `${webhookPath(space, id)}/deliveries?limit=20${from}`);
  };
  sendAgain = (space: string, id: string, delivery: number): Promise<unknown> =>
    this.call('POST', `${webhookPath(space, id)}/deliveries/${delivery}/again`, {});

  createFolder = ({ space, folder }: Place, name: string): Promise<Folder> =>
    this.call('POST', '/folders', { space, parent: folder, name });
  renameFolder = (id: string, name: string): Promise<Folder> =>
    this.call('PATCH', folderPath(id), { name });
  moveFolder = (id: string, { space, folder }: Place): Promise<Folder> =>
    this.call('PATCH', folderPath(id), { space, parent: folder });
  trashFolder = (id: string): Promise<void> => this.call('DELETE', folderPath(id));
  restoreFolder = (id: string): Promise<Folder> => this.call('POST', `${folderPath(id)}/restore`);

  invites = async (id: string): Promise<Invite[]> =>
    (await this.call<{ invites: Invite[] }>('GET', `${roomPath(id)}/invites`)).invites;
  createInvite = (
    id: string,
    right: GrantRight,
    expiresInSeconds: number,
    usesMax: number,
  ): Promise<NewInvite> =>
    this.call('POST', `${roomPath(id)}/invites`, {
      right,
      expires_in_seconds: expiresInSeconds,
      uses_max: usesMax,
    });
  deleteInvite = (id: string, invite: string): Promise<void> =>
    this.call('DELETE', `${roomPath(id)}/invites/${encodeURIComponent(invite)}`);
  lookAtInvite = (secret: string): Promise<InviteLook> =>
    this.call('POST', '/invites/look', { secret });
  /** The room is null if the link leads to the workspace alone. */
  acceptInvite = (secret: string): Promise<{ room: { id: string } | null }> =>
    this.call('POST', '/invites/accept', { secret });

  tokens = async (): Promise<AccessToken[]> =>
    (await this.call<{ tokens: AccessToken[] }>('GET', '/tokens')).tokens;
  /** Without seconds it lasts until it is revoked. */
  createToken = (name: string, scopes: Scope[], seconds: number | null): Promise<NewAccessToken> =>
    this.call('POST', '/tokens', { name, scopes, expires_in_seconds: seconds });
  revokeToken = (id: string): Promise<void> =>
    this.call('DELETE', `/tokens/${encodeURIComponent(id)}`);
  mintRoomToken = (room: string, right: GrantRight, seconds: number): Promise<RoomToken> =>
    this.call('POST', '/room-tokens', { room, right, ttl_seconds: seconds });

  private async call<T>(method: Method, path: string, body?: unknown): Promise<T> {
    try {
      return await this.send<T>(method, path, body);
    } catch (error) {
      const again = error instanceof ApiError && error.code === 'sign_in_again' && this.askAgain;
      if (!again || !(await again())) throw error;
      return this.send<T>(method, path, body);
    }
  }

  private async send<T>(method: Method, path: string, body?: unknown): Promise<T> {
    let response: Response;
    const guest = this.guest === null ? '' : `${path.includes('?') ? '&' : '?'}guest=${this.guest}`;
    try {
      response = await this.fetcher(`/api/v1${path}${guest}`, {
        method,
        credentials: 'same-origin',
        ...(body instanceof Blob
          ? { body }
          : body === undefined
            ? {}
            : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      });
    } catch {
      throw new ApiError('network', {}, 0);
    }
    if (response.status === 204) return undefined as T;
    const answer: unknown = await response.json().catch(() => null);
    if (!response.ok) throw errorOf(answer, response.status);
    return answer as T;
  }
}

/** Who has no password shows none. */
function shown(password: string): { password?: string } {
  return password === '' ? {} : { password };
}

function roomPath(id: string): string {
  return `/rooms/${encodeURIComponent(id)}`;
}

function folderPath(id: string): string {
  return `/folders/${encodeURIComponent(id)}`;
}

function accountPath(id: string): string {
  return `/admin/people/${encodeURIComponent(id)}`;
}

function spacePath(id: string): string {
  return `/spaces/${encodeURIComponent(id)}`;
}

function webhookPath(space: string, id: string): string {
  return `${spacePath(space)}/webhooks/${encodeURIComponent(id)}`;
}

function memberPath(space: string, username: string): string {
  return `${spacePath(space)}/members/${encodeURIComponent(username)}`;
}

function errorOf(answer: unknown, status: number): ApiError {
  if (typeof answer === 'object' && answer !== null && 'error' in answer) {
    const { error } = answer as { error: { code?: unknown; params?: unknown } };
    if (typeof error?.code === 'string') {
      const params = typeof error.params === 'object' && error.params !== null ? error.params : {};
      return new ApiError(error.code, params as Record<string, unknown>, status);
    }
  }
  return new ApiError(`http_${status}`, {}, status);
}

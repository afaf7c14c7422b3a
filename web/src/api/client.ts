/** Calls of the HTTP API. Knows no React; `fetch` can be replaced in tests. */
import type {
  GrantRight,
  Invite,
  InviteLook,
  Kind,
  Me,
  NewInvite,
  Person,
  RoomInfo,
  User,
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
  registration?: 'open' | 'invite' | 'closed';
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

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

export class Api {
  constructor(private readonly fetcher: typeof fetch = (...args) => fetch(...args)) {}

  setupNeeded = (): Promise<SetupAnswer> => this.call('GET', '/auth/setup');
  setup = (form: SetupForm): Promise<{ user: User; welcome_room: string }> =>
    this.call('POST', '/auth/setup', form);
  register = (form: RegisterForm): Promise<{ user: User }> =>
    this.call('POST', '/auth/register', form);
  login = (username: string, password: string): Promise<{ user: User }> =>
    this.call('POST', '/auth/login', { username, password });
  logout = (): Promise<void> => this.call('POST', '/auth/logout');
  me = (): Promise<Me> => this.call('GET', '/auth/me');

  rooms = async (trashed: boolean): Promise<RoomInfo[]> =>
    (await this.call<{ rooms: RoomInfo[] }>('GET', `/rooms?trashed=${trashed}`)).rooms;
  createRoom = (kind: Kind, title: string): Promise<RoomInfo> =>
    this.call('POST', '/rooms', kind === 'doc' ? { kind, title, template: 'page' } : { kind, title });
  room = (id: string): Promise<RoomInfo> => this.call('GET', roomPath(id));
  rename = (id: string, title: string): Promise<RoomInfo> =>
    this.call('PATCH', roomPath(id), { title });
  trash = (id: string): Promise<RoomInfo> => this.call('DELETE', roomPath(id));
  restore = (id: string): Promise<RoomInfo> => this.call('POST', `${roomPath(id)}/restore`);

  people = async (id: string): Promise<Person[]> =>
    (await this.call<{ people: Person[] }>('GET', `${roomPath(id)}/people`)).people;
  grant = async (id: string, username: string, right: GrantRight): Promise<Person> =>
    (await this.call<{ person: Person }>('POST', `${roomPath(id)}/grants`, { username, right }))
      .person;
  revoke = (id: string, username: string): Promise<void> =>
    this.call('DELETE', `${roomPath(id)}/grants/${encodeURIComponent(username)}`);

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
  acceptInvite = (secret: string): Promise<{ room: { id: string } }> =>
    this.call('POST', '/invites/accept', { secret });

  private async call<T>(method: Method, path: string, body?: unknown): Promise<T> {
    let response: Response;
    try {
      response = await this.fetcher(`/api/v1${path}`, {
        method,
        credentials: 'same-origin',
        ...(body === undefined
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

function roomPath(id: string): string {
  return `/rooms/${encodeURIComponent(id)}`;
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

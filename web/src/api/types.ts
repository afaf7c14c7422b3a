/** Shapes of the HTTP API, `docs/api.md`. */

export type Right = 'read' | 'comment' | 'edit' | 'manage';
export type GrantRight = 'read' | 'comment' | 'edit';
export type Kind = 'doc' | 'order';

/** How often mail may tell of what one has not read, at most. */
export type Digest = 'off' | 'hourly' | 'daily';

export interface User {
  id: string;
  username: string;
  name: string;
  email: string | null;
  /** Whether a link that was mailed there has been opened. */
  email_verified: boolean;
  phone: string | null;
  language: 'en' | 'zh';
  /** A name of the IANA's database; null: as the browser. */
  time_zone: string | null;
  /** Whether signing in takes a code besides the password. */
  second_factor: boolean;
  digest: Digest;
  /** Who signs in by way of a provider alone has none. */
  has_password: boolean;
  admin: boolean;
}

/** By way of whom one can sign in too, and whether one does. */
export interface Identity {
  provider: string;
  linked_at: number | null;
}

/** What is absent stays, what is empty is taken away. */
export interface ProfileChange {
  name?: string;
  email?: string;
  phone?: string;
  language?: string;
  time_zone?: string;
  digest?: Digest;
  /** Another address takes it. */
  password?: string;
}

/** What codes of the second factor follow from: to type, and to scan. */
export interface FactorSecret {
  secret: string;
  uri: string;
}

export interface SignIn {
  id: string;
  created_at: number;
  used_at: number;
  user_agent: string;
  /** The one that asks. */
  current: boolean;
}

/** A link with which people make themselves an account. */
export interface WorkspaceInvite {
  id: string;
  email: string | null;
  invited_by: { name: string };
  expires_at: number;
  uses: number;
  uses_max: number;
  created_at: number;
}

export interface NewWorkspaceInvite {
  invite: WorkspaceInvite;
  secret: string;
}

export interface Me {
  user: User;
  /** The room that is my inbox. */
  inbox: string;
  workspace: { name: string; registration: 'open' | 'invite' | 'closed' };
  server: { version: string; room_token_seconds_max: number };
}

/** Whom this browser is to listen to, and where notices of this sign-in are pushed. */
export interface Push {
  public_key: string;
  endpoint: string | null;
}

/** As a browser's subscription has them. */
export interface PushKeys {
  endpoint: string | undefined;
  p256dh: string | undefined;
  auth: string | undefined;
}

export interface RoomInfo {
  id: string;
  key: string | null;
  kind: Kind;
  title: string;
  owner: { id: string; username: string; name: string };
  right: Right;
  created_at: number;
  changed_at: number;
  changed_by: { id: string; name: string } | null;
  trashed_at: number | null;
  /** Null when I may open the room but not see where it stands. */
  space: { id: string; kind: SpaceKind; name: string } | null;
  folder: { id: string; name: string } | null;
  starred: boolean;
  opened_at: number | null;
  /** It does not notify me. */
  muted: boolean;
}

/** Somebody asks to be let into a room. */
export interface AccessRequest {
  person: { id: string; username: string; name: string };
  at: number;
}

/** The lists of rooms that the server makes. */
export type Which = 'all' | 'recent' | 'starred' | 'shared' | 'trashed';

export type SpaceKind = 'personal' | 'team' | 'gallery';

/** From the most that one may to the least. */
export const ROLES = ['owner', 'admin', 'editor', 'commenter', 'viewer'] as const;
export type Role = (typeof ROLES)[number];
/** What one can be invited as. */
export type GivenRole = Exclude<Role, 'owner'>;

export interface Rules {
  links: boolean;
  /** Whether links may let in people without an account. */
  public_links: boolean;
  outsiders: boolean;
}

/** Where what happens in a space is sent to. */
export interface Webhook {
  id: string;
  /** May be empty. */
  name: string;
  url: string;
  events: string[];
  on: boolean;
  /** Why it is off, if nobody turned it off. */
  off_because: 'gone' | 'failing' | 'too_many' | null;
  created_at: number;
  succeeded_at: number | null;
}

export interface WebhookDelivery {
  id: number;
  event: string;
  at: number;
  state: 'waiting' | 'delivered' | 'failed';
  tries: number;
  next_at: number | null;
  tried_at: number | null;
  status: number | null;
  took_ms: number | null;
  fault: string | null;
  answer: string | null;
}

/** `name` is empty but for teams: see `spaceName`. */
export interface Space {
  id: string;
  kind: SpaceKind;
  name: string;
  role: Role | null;
  members: number;
  rules: Rules;
  archived_at: number | null;
  created_at: number;
}

export interface SpaceInvitation {
  space: { id: string; name: string };
  role: Role;
  invited_by: { id: string; name: string };
  at: number;
}

export interface Spaces {
  spaces: Space[];
  invitations: SpaceInvitation[];
}

export interface Folder {
  id: string;
  space: string;
  parent: string | null;
  name: string;
  right: Right;
  trashed_at: number | null;
}

/** What I may see of a space. */
export interface SpaceContent {
  space: Space;
  /** Bytes; null to those who do not manage the space. */
  storage_used: number | null;
  /** Bytes; null: unlimited, or one does not manage the space. */
  quota: number | null;
  folders: Folder[];
  rooms: RoomInfo[];
}

export interface Member {
  id: string;
  username: string;
  name: string;
  role: Role;
  state: 'member' | 'invited';
}

/** Where a room or a folder stands; null: at the top of the space. */
export interface Place {
  space: string;
  folder: string | null;
}

export interface Why {
  by: 'creator' | 'role' | 'grant' | 'space_grant' | 'folder' | 'gallery' | 'link';
  right: Right;
  /** The role, or the name of the space that was given to. */
  name?: string | null;
  folder?: { id: string; name: string } | null;
  expires_at?: number | null;
}

export interface Person {
  id: string;
  username: string;
  name: string;
  right: Right;
  owner: boolean;
  why: Why[];
}

/** Whom something can be given to, and taken from. */
export type Grantee = { person: Named } | { space: { id: string; name: string } };

export interface Named {
  id: string;
  username: string;
  name: string;
}

export interface Grant {
  /** A room's link is changed as such, not among the grants. */
  to: Grantee | { link: { who: LinkWho } };
  right: GrantRight;
  expires_at: number | null;
  /** The folder that it was given for; null: given for the thing itself. */
  folder: { id: string; name: string } | null;
}

/** Whom a grant goes to, as one says it to the server. */
export type GrantTo = { username: string } | { space: string };

/** For whom a room's link is: people with an account, or guests, too. */
export type LinkWho = 'workspace' | 'public';

export interface RoomLink {
  who: LinkWho;
  right: GrantRight;
  expires_at: number | null;
  has_password: boolean;
  created_at: number;
  secret: string;
}

export interface RoomLinkState {
  link: RoomLink | null;
  /** What the rules of space and workspace allow. */
  allowed: 'no' | LinkWho;
}

/** What is absent stays. Another password lets nobody in who does not give it. */
export interface RoomLinkChange {
  who?: LinkWho;
  right?: GrantRight;
  expires_in_seconds?: number | null;
  password?: string | null;
}

/** What a link promises to somebody who is not signed in. */
export interface RoomLinkLook {
  kind: Kind;
  /** Null when a password has to be given first. */
  title: string | null;
  who: LinkWho;
  right: GrantRight;
  has_password: boolean;
}

/** A link that somebody shows, with what it asks for. */
export interface ShownLink {
  room: string;
  secret: string;
  name?: string;
  password?: string;
}

/** Somebody without an account. The name is empty if they gave none. */
export interface Guest {
  id: string;
  name: string;
}

export interface Sharing {
  public_links: boolean;
  people_found: 'everybody' | 'shared';
}

/** Something that was noted in the audit log. */
export interface Act {
  id: number;
  at: number;
  act: string;
  by: Named | null;
  person: Named | null;
  room: { id: string; title: string } | null;
  folder: string | null;
  space: { id: string; name: string } | null;
  params: Readonly<Record<string, unknown>>;
  /** For administrators. Empty: on the server itself. */
  address?: string;
}

/** Whose acts are asked for: of the whole workspace, or of what I govern. */
export type ActsOf = { of: 'all'; filter: ActFilter } | { of: 'room' | 'space'; id: string };

/** To what those of the workspace are narrowed. */
export interface ActFilter {
  /** A user name. */
  person?: string;
  room?: string;
  space?: string;
}

export interface Invite {
  id: string;
  right: GrantRight;
  expires_at: number;
  uses: number;
  uses_max: number;
  created_at: number;
}

export interface NewInvite {
  invite: Invite;
  secret: string;
  url: string;
}

/** Somebody with an account, as administrators see them. */
export interface Account {
  id: string;
  username: string;
  name: string;
  email: string | null;
  email_verified: boolean;
  second_factor: boolean;
  admin: boolean;
  state: 'active' | 'deactivated';
  created_at: number;
  /** Where they are signed in. */
  sign_ins: number;
  /** To the hour; null: not since this is noted. */
  seen_at: number | null;
}

/** One page of a list, and what to ask for the next with; null: there is none. */
export interface AccountPage {
  people: Account[];
  next: string | null;
}

export interface AccountQuery {
  query: string;
  role: '' | 'admin' | 'member';
  state: '' | 'active' | 'deactivated';
}

export const REGISTRATIONS = ['open', 'invite', 'closed'] as const;
export type Registration = (typeof REGISTRATIONS)[number];

export interface RegistrationSetting {
  registration: Registration;
  /** The command line says it, so that it cannot be changed here. */
  set_at_start: boolean;
}

/** A space, as administrators see it. */
/** Where a space's quota comes from. */
export type QuotaSet = 'default' | 'unlimited' | 'bytes';

export interface SpaceStorage {
  storage_used: number;
  /** Bytes; null: unlimited. */
  quota: number | null;
  quota_set: QuotaSet;
}

/** Bytes; null: unlimited. */
export interface Quotas {
  team: number | null;
  personal: number | null;
}

export interface SpacesQuery {
  kind: 'team' | 'personal';
  sort: 'age' | 'used';
}

export interface ListedSpace extends SpaceStorage {
  id: string;
  kind: SpaceKind;
  name: string;
  owner: { id: string; username: string; name: string } | null;
  members: number;
  rooms: number;
  created_at: number;
  archived_at: number | null;
}

export interface SpacePage {
  spaces: ListedSpace[];
  next: string | null;
}

export interface Storage {
  log_bytes: number;
  blob_bytes: number;
  metadata_bytes: number;
  quarantine_bytes: number;
  free_bytes: number;
}

export type MailState =
  | { mail: false }
  | {
      mail: true;
      server: string;
      from: string;
      waiting: number;
      sent: number;
      failed: number;
      sent_at: number | null;
      failure: { at: number; why: string } | null;
    };

/** An operation that made a room fail. */
export interface Quarantined {
  at: number;
  room: string;
  person: string;
  why: string;
  bytes: number;
  sha256: string;
}

/** In the order in which they are offered. */
export const SCOPES = ['read', 'write', 'manage', 'room-tokens'] as const;
export type Scope = (typeof SCOPES)[number];

export interface AccessToken {
  id: string;
  name: string;
  scopes: Scope[];
  created_at: number;
  used_at: number | null;
  expires_at: number | null;
}

/** The token itself is in the answer to its making and nowhere else. */
export interface NewAccessToken extends AccessToken {
  token: string;
}

export interface RoomToken {
  token: string;
  expires_at: number;
  right: GrantRight;
}

/** What an invite link leads to: a room, or the workspace alone. */
export type InviteLook =
  | {
      room: { id: string; kind: Kind; title: string };
      right: Right;
      invited_by: { name: string };
    }
  | { room: null; invited_by: { name: string }; email: string | null };

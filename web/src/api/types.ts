/** Shapes of the HTTP API, `docs/api.md`. */

export type Right = 'read' | 'comment' | 'edit' | 'manage';
export type GrantRight = 'read' | 'comment' | 'edit';
export type Kind = 'doc' | 'order';

export interface User {
  id: string;
  username: string;
  name: string;
  email: string | null;
  admin: boolean;
}

export interface Me {
  user: User;
  workspace: { name: string; registration: 'open' | 'invite' | 'closed' };
  server: { version: string };
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
}

export interface Person {
  id: string;
  username: string;
  name: string;
  right: Right;
  owner: boolean;
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

export interface InviteLook {
  room: { id: string; kind: Kind; title: string };
  right: Right;
  invited_by: { name: string };
}

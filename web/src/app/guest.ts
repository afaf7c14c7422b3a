/** Somebody without an account, who came by a link to one room. */
import { createContext, useContext } from 'react';
import { Api } from '../api/client';
import type { Guest, Me } from '../api/types';
import { newSession } from './newSession';
import { browserServices, type Services } from './services';
import { ME_KEY, type SessionHolder } from './session';

const GuestContext = createContext(false);
export const GuestProvider = GuestContext.Provider;

/** Whether a guest looks: without lists, menus and settings. */
export function useIsGuest(): boolean {
  return useContext(GuestContext);
}

export function guestServices(room: string, guest: Guest): Services {
  const api = new Api(undefined, room);
  // As long as the room can be asked about, the guest is let in.
  api.me = async () => {
    await api.room(room);
    return meOf(guest);
  };
  return browserServices(api, room);
}

export function guestSession(services: Services, guest: Guest): SessionHolder {
  const session = newSession(services);
  session.queries.setQueryData(ME_KEY, meOf(guest));
  return session;
}

function meOf({ id, name }: Guest): Me {
  return {
    user: {
      id,
      username: '',
      name,
      email: null,
      email_verified: false,
      phone: null,
      language: 'en',
      time_zone: null,
      second_factor: false,
      digest: 'off',
      has_password: false,
      admin: false,
    },
    // Nobody tells guests of anything.
    inbox: '',
    workspace: { name: '', registration: 'closed' },
    server: { version: '', room_token_seconds_max: 0 },
  };
}

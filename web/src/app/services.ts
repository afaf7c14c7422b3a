/**
 * What the app needs from outside: the HTTP API and one connection for the person who is signed
 * in. Tests and the design preview supply their own.
 */
import { createContext, useContext } from 'react';
import type { Api } from '../api/client';
import type { Connection } from '../sync';
import { forgetPush } from './push';

export interface Services {
  api: Api;
  /** Loaded on first need, so that the sign-in page does not carry the protocol. */
  connect: (personId: string) => Promise<Connection>;
  /** Wipes what this browser keeps for the person, after signing out. */
  forget: (personId: string) => Promise<void>;
}

/** `guest` is the room of which a guest speaks. */
export function browserServices(api: Api, guest: string | null = null): Services {
  return {
    api,
    connect: async (personId) => {
      const { connectBrowser } = await import('../sync/browser');
      return connectBrowser(personId, guest);
    },
    forget: async (personId) => {
      const { forgetPerson } = await import('../sync/browser');
      await Promise.all([forgetPerson(personId), forgetPush()]);
    },
  };
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === null) throw new Error('App provides the services');
  return services;
}

export function useApi(): Api {
  return useServices().api;
}

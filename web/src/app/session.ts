/**
 * Who is signed in, and the one connection that belongs to them.
 *
 * Not here: the protocol (`src/sync`) and the calls (`src/api`).
 */
import { useQuery, type QueryClient, type UseQueryResult } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useState } from 'react';
import { ApiError } from '../api/client';
import type { Me } from '../api/types';
import type { Connection } from '../sync';
import { useServices, type Services } from './services';

export const ME_KEY = ['me'] as const;

/** Holds at most one connection, for one person. */
export class SessionHolder {
  private held: { personId: string; connection: Promise<Connection> } | null = null;
  /** Whether the sign-in page should say that the person was signed out. */
  signedOutByServer = false;
  /** The person signs out on purpose: the sign-in page need not lead back to where they were. */
  leaving = false;

  constructor(
    private readonly services: Services,
    readonly queries: QueryClient,
  ) {}

  connection(personId: string): Promise<Connection> {
    if (this.held?.personId === personId) return this.held.connection;
    const before = this.held;
    const connection = (before === null ? Promise.resolve() : stopOf(before.connection)).then(() =>
      this.services.connect(personId),
    );
    this.held = { personId, connection };
    void connection.then((made) => this.watch(made)).catch(() => undefined);
    connection.catch(() => {
      if (this.held?.connection === connection) this.held = null;
    });
    return connection;
  }

  /** The connection if there is one already. */
  current(): Promise<Connection> | null {
    return this.held?.connection ?? null;
  }

  /** Ends the connection; what is unsent stays in this browser for the next sign-in. */
  async end(): Promise<void> {
    const held = this.held;
    this.held = null;
    if (held !== null) await stopOf(held.connection);
  }

  private watch(connection: Connection): void {
    const off = connection.subscribe(() => {
      if (connection.status() !== 'signed_out') return;
      off();
      this.lost();
    });
    if (connection.status() === 'signed_out') this.lost();
  }

  /** Somebody has just signed in: nothing that an earlier person saw may remain. */
  async enter(): Promise<void> {
    this.signedOutByServer = false;
    this.leaving = false;
    this.forget([ME_KEY[0], 'setup', 'invite']);
    this.queries.setQueryData(ME_KEY, await this.services.api.me());
  }

  /** The sign-in is over; pages that ask who I am hear of it at once. */
  leave(): void {
    this.forget([ME_KEY[0]]);
    this.queries.setQueryData(ME_KEY, null);
  }

  /** The server says that nobody is signed in here any more. Unsent changes stay. */
  lost(): void {
    if (this.leaving || this.queries.getQueryData(ME_KEY) === null) return;
    this.signedOutByServer = true;
    void this.end();
    this.leave();
  }

  private forget(kept: readonly string[]): void {
    this.queries.removeQueries({
      predicate: ({ queryKey }) => !kept.includes(String(queryKey[0])),
    });
  }
}

async function stopOf(connection: Promise<Connection>): Promise<void> {
  const made = await connection.catch(() => null);
  await made?.stop();
}

export const SessionContext = createContext<SessionHolder | null>(null);

export function useSession(): SessionHolder {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('App provides the session');
  return session;
}

/** Null data: nobody is signed in. An error: it could not be found out. */
export function useMe(): UseQueryResult<Me | null> {
  const { api } = useServices();
  return useQuery({
    queryKey: ME_KEY,
    queryFn: () =>
      api.me().catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 401) return null;
        throw error;
      }),
    staleTime: 60_000,
  });
}

/** The connection of the signed-in person; null until it is there. */
export function useConnection(personId: string): Connection | null {
  const session = useSession();
  const [connection, setConnection] = useState<Connection | null>(null);
  useEffect(() => {
    let current = true;
    session.connection(personId).then(
      (made) => current && setConnection(made),
      () => current && setConnection(null),
    );
    return () => {
      current = false;
    };
  }, [session, personId]);
  return connection;
}

import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import type { Connection, ConnectionStatus, Room, RoomState } from '../sync';

export interface OpenRoom {
  room: Room;
  state: RoomState;
}

const nothing = () => () => undefined;

/** Opens a room while the component is there; null until there is a connection. */
export function useRoom(connection: Connection | null, id: string): OpenRoom | null {
  const [room, setRoom] = useState<Room | null>(null);
  useEffect(() => {
    if (connection === null) return;
    const opened = connection.open(id);
    setRoom(opened);
    return () => {
      setRoom(null);
      opened.close();
    };
  }, [connection, id]);
  const subscribe = useCallback(
    (changed: () => void) => (room === null ? nothing() : room.subscribe(changed)),
    [room],
  );
  const state = useSyncExternalStore(subscribe, () => room?.state() ?? null);
  return room === null || state === null ? null : { room, state };
}

export function useConnectionStatus(connection: Connection | null): ConnectionStatus {
  const subscribe = useCallback(
    (changed: () => void) => (connection === null ? nothing() : connection.subscribe(changed)),
    [connection],
  );
  return useSyncExternalStore(subscribe, () => connection?.status() ?? 'connecting');
}

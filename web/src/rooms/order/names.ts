import { useEffect, useMemo, useRef } from 'react';
import { usePeople } from '../../api/share';
import { useWords } from '../../i18n/hooks';
import type { Face } from '../../sync';

export interface Names {
  of: (personId: string) => string;
  /** Their colour if they are here now. */
  colorOf: (personId: string) => number | null;
}

/** Names of people in an order: those who are here, and those who can open it. */
export function useNames(roomId: string, faces: readonly Face[], wanted: readonly string[]): Names {
  const { t } = useWords();
  const people = usePeople(roomId);
  const known = useMemo(() => {
    const names = new Map(people.data?.people.map(({ id, name }) => [id, name]));
    for (const { personId, name } of faces) names.set(personId, name);
    return names;
  }, [people.data, faces]);
  // Somebody new may have joined since the list was fetched; asked once per unknown person.
  const asked = useRef(new Set<string>());
  const { refetch, isFetching } = people;
  useEffect(() => {
    if (isFetching) return;
    const unknown = wanted.filter((id) => !known.has(id) && !asked.current.has(id));
    if (unknown.length === 0) return;
    unknown.forEach((id) => asked.current.add(id));
    void refetch();
  }, [wanted, known, refetch, isFetching]);
  return {
    of: (personId) => known.get(personId) ?? t('order.unknown_person'),
    colorOf: (personId) => faces.find((face) => face.personId === personId)?.color ?? null,
  };
}

/** Pictures of people: asked for together, whoever shows them, and kept for a while. */
import { useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useIsGuest } from '../app/guest';
import { useApi } from '../app/services';
import type { Api } from './client';

/** How long one does not ask again whether somebody has changed theirs. */
const FRESH_MS = 5 * 60_000;
/** The most that one question may be about. */
const PEOPLE_MAX = 200;

const pictureKey = (person: string) => ['picture', person] as const;

/** Questions that wait for those of other faces of the same page. */
export class Gatherer {
  private waiting = new Map<string, ((url: string | null) => void)[]>();
  private failing: ((error: unknown) => void)[] = [];

  constructor(private readonly api: Pick<Api, 'pictures'>) {}

  ask(person: string): Promise<string | null> {
    return new Promise((resolve, reject) => {
      if (this.waiting.size === 0) setTimeout(() => void this.send());
      this.waiting.set(person, [...(this.waiting.get(person) ?? []), resolve]);
      this.failing.push(reject);
      if (this.waiting.size === PEOPLE_MAX) void this.send();
    });
  }

  private async send(): Promise<void> {
    const { waiting, failing } = this;
    if (waiting.size === 0) return;
    this.waiting = new Map();
    this.failing = [];
    try {
      const found = await this.api.pictures([...waiting.keys()]);
      for (const [person, told] of waiting) for (const tell of told) tell(found[person] ?? null);
    } catch (error) {
      for (const fail of failing) fail(error);
    }
  }
}

const gatherers = new WeakMap<Api, Gatherer>();

function gathererOf(api: Api): Gatherer {
  const known = gatherers.get(api);
  if (known !== undefined) return known;
  const made = new Gatherer(api);
  gatherers.set(api, made);
  return made;
}

/** Where somebody's picture is; null while that is not known, if they have none, and for guests, who see initials. */
export function usePicture(person: string | undefined): string | null {
  const api = useApi();
  const isGuest = useIsGuest();
  const picture = useQuery({
    queryKey: pictureKey(person ?? ''),
    queryFn: () => gathererOf(api).ask(person ?? ''),
    enabled: person !== undefined && !isGuest,
    staleTime: FRESH_MS,
    retry: false,
  });
  return picture.data ?? null;
}

/** Takes another picture of mine, or none. */
export function useSetPicture(person: string) {
  const api = useApi();
  const queries: QueryClient = useQueryClient();
  return useMutation({
    mutationFn: async (file: Blob | null) => (file === null ? api.removePicture() : api.setPicture(file)),
    onSuccess: (url) => queries.setQueryData(pictureKey(person), url),
  });
}

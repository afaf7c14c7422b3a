/** Addresses of rooms, folders and spaces, and copying them. */
import { useWords } from '../i18n/hooks';
import { copyText } from './clipboard';
import { toast, toastError } from './toast';

export const pathTo = {
  room: (id: string): string => `/o/${id}`,
  space: (id: string): string => `/space/${id}`,
  folder: (space: string, id: string): string => `/space/${space}/${id}`,
};

/** Copies the whole address of a path of ours, and says so. */
export function useCopyLink(): (path: string) => Promise<void> {
  const { t } = useWords();
  return async (path) => {
    if (await copyText(`${window.location.origin}${path}`)) toast({ message: t('share.copied') });
    else toastError(t('share.copy_failed'));
  };
}

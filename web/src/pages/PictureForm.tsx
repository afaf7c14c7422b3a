/** One's own picture: choose a file, or take the picture away. */
import { Button, FileButton, Group, Text } from '@mantine/core';
import { usePicture, useSetPicture } from '../api/pictures';
import { asApiError } from '../api/client';
import type { User } from '../api/types';
import { useWords } from '../i18n/hooks';
import { Avatar } from '../ui/Avatar';
import { FaultAlert } from '../ui/FaultAlert';
import { toast } from '../ui/toast';

export function PictureForm({ user }: { user: User }) {
  const { t } = useWords();
  const picture = usePicture(user.id);
  const set = useSetPicture(user.id);
  const store = (file: File | null) =>
    set.mutate(file, {
      onSuccess: () => toast({ message: t(file === null ? 'picture.removed' : 'picture.changed') }),
    });
  return (
    <div>
      <Group gap={16} mb={16}>
        <Avatar name={user.name} person={user.id} color={null} size={64} />
        <div>
          <Group gap={8}>
            <FileButton onChange={(file) => file !== null && store(file)} accept="image/png,image/jpeg,image/webp">
              {(props) => (
                <Button variant="default" loading={set.isPending} {...props}>
                  {t(picture === null ? 'picture.choose' : 'picture.change')}
                </Button>
              )}
            </FileButton>
            {picture !== null && (
              <Button variant="subtle" color="gray" disabled={set.isPending} onClick={() => store(null)}>
                {t('picture.remove')}
              </Button>
            )}
          </Group>
          <Text fz={12} c="dimmed" mt={4}>
            {t('picture.hint')}
          </Text>
        </div>
      </Group>
      <FaultAlert fault={set.error === null ? null : asApiError(set.error)} />
    </div>
  );
}

import { Button, ScrollArea, Skeleton, Text } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useRooms } from '../api/rooms';
import { useWords } from '../i18n/hooks';
import { shownTitle } from '../i18n/names';
import { KindIcon } from './KindIcon';
import { NewMenu } from './NewMenu';
import classes from './TreePanel.module.css';

export function TreePanel({ workspace }: { workspace: string }) {
  const { t } = useWords();
  const rooms = useRooms(false);
  return (
    <>
      <Text className={classes.workspace} fw={600} truncate title={workspace}>
        {workspace}
      </Text>
      <NewMenu>
        <Button
          variant="default"
          fullWidth
          justify="flex-start"
          leftSection={<IconPlus size={18} stroke={1.5} />}
          data-testid="new"
        >
          {t('nav.new')}
        </Button>
      </NewMenu>
      <ScrollArea className={classes.list} type="hover">
        {rooms.data === undefined ? (
          !rooms.isError && [60, 80, 45].map((width) => (
            <Skeleton key={width} className="late" height={12} width={`${width}%`} my={12} ml={8} />
          ))
        ) : (
          <ul className={classes.items}>
            {rooms.data.map((room) => (
              <li key={room.id}>
                <Link
                  to="/o/$id"
                  params={{ id: room.id }}
                  className={classes.item}
                  activeProps={{ 'data-active': true }}
                >
                  <KindIcon kind={room.kind} named />
                  <span className={classes.title}>{shownTitle(room.title, t('doc.untitled'))}</span>
                </Link>
              </li>
            ))}
          </ul>
        )}
      </ScrollArea>
      <Link to="/trash" className={classes.item} activeProps={{ 'data-active': true }}>
        <IconTrash size={18} stroke={1.5} aria-hidden="true" />
        <span className={classes.title}>{t('nav.trash')}</span>
      </Link>
    </>
  );
}

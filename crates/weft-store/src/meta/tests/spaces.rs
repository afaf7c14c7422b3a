//! Spaces, folders, and that lists show exactly what the rules let somebody see.

use sea_orm::EntityTrait;
use weft_core::{
    FolderId, LinkId, SpaceId,
    access::{Grantee, Role},
};

use super::*;

const TEAM: SpaceId = SpaceId::from_bytes([50; 16]);

fn folder_of(id: u8) -> FolderId {
    FolderId::from_bytes([id; 16])
}

impl Fixture {
    /// A team of lin's.
    async fn team(&self, lin: PersonId) {
        self.meta.create_space(TEAM, "Team", lin, 9, 1).await.unwrap();
    }

    async fn joins(&self, lin: PersonId, username: &str, person: PersonId, role: Role) {
        self.meta.invite_member(TEAM, username, role, lin, 9, 1).await.unwrap();
        self.meta.answer_invitation(TEAM, person, true, 2).await.unwrap();
    }

    async fn folder(&self, id: u8, parent: Option<u8>, creator: PersonId) -> FolderId {
        let new = NewFolder {
            id: folder_of(id),
            space: TEAM,
            parent: parent.map(folder_of),
            name: format!("folder {id}"),
            creator,
        };
        self.meta.create_folder(&new, 99, 1).await.unwrap().id
    }

    async fn room_in(&self, id: u8, owner: PersonId, folder: Option<u8>) -> RoomId {
        let place = (TEAM, folder.map(folder_of));
        let new = NewRoom { space: place.0, folder: place.1, ..new_room(id, owner, None) };
        self.meta.create_room(&new, ROOMS_MAX, u64::from(id)).await.unwrap().id
    }

    /// A link to the room, of some sort.
    async fn link(&self, n: u8, room: RoomId, by: PersonId, chance: &mut fastrand::Rng) -> LinkId {
        let new = NewLink {
            id: LinkId::from_bytes([n; 16]),
            secret: format!("secret {n}"),
            public: chance.bool(),
            right: [Right::Read, Right::Comment, Right::Edit][chance.usize(..3)],
            expires_at: chance.bool().then(|| chance.u64(8..12)),
            password_hash: None,
        };
        self.meta.set_link(room, new, true, by, 1).await.unwrap().0.id
    }

    async fn guest(&self, id: PersonId, room: RoomId, link: LinkId) {
        let new = NewGuest {
            id,
            token_hash: [id.as_bytes()[0]; 32],
            link,
            room,
            name: "Ann".to_owned(),
            expires_at: 99,
        };
        self.meta.create_guest(&new, 99, 1).await.unwrap();
    }

    async fn rights(&self, room: RoomId, people: &[PersonId], now: Millis) -> Vec<&'static str> {
        let mut rights = Vec::new();
        for person in people {
            let right = self.meta.right(room, *person, now).await.unwrap();
            rights.push(right.map_or("-", Right::name));
        }
        rights
    }
}

#[tokio::test]
async fn members_come_when_they_agree_and_go() {
    let f = Fixture::new().await;
    let (lin, bo, cy) =
        (f.person(1, "lin").await, f.person(2, "bo").await, f.person(3, "cy").await);
    f.team(lin).await;
    let room = f.room_in(10, lin, None).await;
    f.meta.invite_member(TEAM, "bo", Role::Editor, lin, 9, 1).await.unwrap();
    assert_eq!(f.rights(room, &[lin, bo, cy], 9).await, ["manage", "-", "-"]);
    assert_eq!(f.meta.invitations_of(bo).await.unwrap()[0].name, "Team");
    f.meta.answer_invitation(TEAM, bo, true, 2).await.unwrap();
    f.joins(lin, "cy", cy, Role::Viewer).await;
    assert_eq!(f.rights(room, &[lin, bo, cy], 9).await, ["manage", "edit", "read"]);
    assert_eq!(refusal(f.meta.answer_invitation(TEAM, bo, true, 2).await), Refusal::NotFound);

    // Who may not: an editor, and somebody who is not there.
    let invite = f.meta.invite_member(TEAM, "cy", Role::Admin, bo, 9, 1).await;
    assert_eq!(refusal(invite), Refusal::NoRole);
    let dee = f.person(4, "dee").await;
    let change = SpaceChange { name: Some("Mine".to_owned()), ..SpaceChange::default() };
    assert_eq!(refusal(f.meta.change_space(TEAM, &change, dee, 1).await), Refusal::NotFound);
    // An admin makes no admins, and nobody removes the owner.
    f.meta.set_role(TEAM, "bo", Role::Admin, lin).await.unwrap();
    assert_eq!(refusal(f.meta.set_role(TEAM, "cy", Role::Admin, bo).await), Refusal::NoRole);
    assert_eq!(refusal(f.meta.remove_member(TEAM, "lin", bo).await), Refusal::NoRole);
    assert_eq!(refusal(f.meta.remove_member(TEAM, "lin", lin).await), Refusal::IsOwner);

    f.meta.hand_over(TEAM, "bo", lin, 3).await.unwrap();
    f.meta.remove_member(TEAM, "lin", lin).await.unwrap();
    // What lin made stays with the team.
    assert_eq!(f.rights(room, &[lin, bo, cy], 9).await, ["-", "manage", "read"]);
    let own = personal(lin);
    let invite = f.meta.invite_member(own, "bo", Role::Editor, lin, 9, 1).await;
    assert_eq!(refusal(invite), Refusal::NotATeam);
}

#[tokio::test]
async fn grants_on_folders_go_for_all_below_and_end() {
    let f = Fixture::new().await;
    let (lin, bo, cy) =
        (f.person(1, "lin").await, f.person(2, "bo").await, f.person(3, "cy").await);
    f.team(lin).await;
    let (outer, _) = (f.folder(20, None, lin).await, f.folder(21, Some(20), lin).await);
    let room = f.room_in(10, lin, Some(21)).await;
    let beside = f.room_in(11, lin, None).await;
    let grant = NewGrant { expires_at: Some(100), ..to("bo", Right::Comment) };
    f.meta.grant(Target::Folder(outer), &grant, lin, 1).await.unwrap();
    let own = SpaceId::from_bytes([60; 16]);
    f.meta.create_space(own, "Guests", lin, 9, 1).await.unwrap();
    f.meta.invite_member(own, "cy", Role::Viewer, lin, 9, 1).await.unwrap();
    f.meta.answer_invitation(own, cy, true, 2).await.unwrap();
    let space_grant = NewGrant { to: NewGrantee::Space(own), right: Right::Edit, expires_at: None };
    f.meta.grant(Target::Room(room), &space_grant, lin, 1).await.unwrap();
    assert_eq!(f.rights(room, &[bo, cy], 99).await, ["comment", "edit"]);
    assert_eq!(f.rights(beside, &[bo, cy], 99).await, ["-", "-"]);
    assert_eq!(f.meta.rooms_with_ended_grants(99, 100).await.unwrap(), [room]);
    assert_eq!(f.meta.rooms_with_ended_grants(100, 200).await.unwrap(), []);
    assert_eq!(f.rights(room, &[bo, cy], 100).await, ["-", "edit"]);
    assert_eq!(f.meta.rooms_of_space(own).await.unwrap(), [room]);

    let closed = SpaceChange { outsiders: Some(false), ..SpaceChange::default() };
    f.meta.change_space(TEAM, &closed, lin, 1).await.unwrap();
    assert_eq!(f.rights(room, &[lin, bo, cy], 99).await, ["manage", "-", "-"]);
    let open = SpaceChange { outsiders: Some(true), archived: Some(true), ..closed };
    f.meta.change_space(TEAM, &open, lin, 1).await.unwrap();
    assert_eq!(f.rights(room, &[lin, bo, cy], 99).await, ["read", "read", "read"]);

    let audience = f.meta.audience(room, 99).await.unwrap();
    let names: Vec<_> = audience.people.iter().map(|m| m.person.username.as_str()).collect();
    assert_eq!(names, ["lin", "bo", "cy"]);
    assert_eq!(audience.grants.len(), 2);
    // Nobody gives what is given to a space that they do not see.
    let theirs = f.meta.grant(Target::Room(room), &space_grant, bo, 1).await;
    assert_eq!(refusal(theirs), Refusal::NotFound);

    f.meta.revoke(Target::Folder(outer), &bo.to_string()).await.unwrap();
    f.meta.revoke(Target::Room(room), &own.to_string()).await.unwrap();
    assert_eq!(f.rights(room, &[bo, cy], 99).await, ["-", "-"]);
}

#[tokio::test]
async fn folders_move_with_all_in_them_and_never_into_themselves() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    f.team(lin).await;
    for (id, parent) in [(20, None), (21, Some(20)), (22, Some(21)), (30, None)] {
        f.folder(id, parent, lin).await;
    }
    let room = f.room_in(10, lin, Some(22)).await;
    let moved = async |id, parent: Option<u8>| {
        f.meta.move_folder(folder_of(id), TEAM, parent.map(folder_of)).await
    };
    assert_eq!(refusal(moved(20, Some(22)).await), Refusal::Inside);
    assert_eq!(refusal(moved(20, Some(20)).await), Refusal::Inside);
    f.meta.grant(Target::Folder(folder_of(30)), &to("bo", Right::Read), lin, 1).await.unwrap();
    assert_eq!(f.rights(room, &[bo], 9).await, ["-"]);
    moved(21, Some(30)).await.unwrap();
    assert_eq!(f.rights(room, &[bo], 9).await, ["read"]);
    moved(20, Some(22)).await.unwrap();
    moved(21, None).await.unwrap();
    assert_eq!(f.rights(room, &[bo], 9).await, ["-"]);

    // Into lin's own space: the rooms go along.
    f.meta.move_folder(folder_of(21), personal(lin), None).await.unwrap();
    assert_eq!(f.meta.room_by_id(room).await.unwrap().unwrap().space, personal(lin));
    assert_eq!(
        refusal(moved(21, Some(30)).await.map(drop).and(moved(30, Some(99)).await)),
        Refusal::NotFound
    );

    let mut parent = None;
    for id in 100..100 + u8::try_from(DEPTH_MAX).unwrap() {
        f.folder(id, parent, lin).await;
        parent = Some(id);
    }
    assert!(matches!(refusal(moved(30, parent).await), Refusal::TooDeep { .. }));
}

#[tokio::test]
async fn a_folder_comes_back_with_what_went_with_it() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    f.team(lin).await;
    f.joins(lin, "bo", bo, Role::Editor).await;
    f.folder(20, None, lin).await;
    f.folder(21, Some(20), lin).await;
    let (with, before) = (f.room_in(10, lin, Some(21)).await, f.room_in(11, lin, Some(20)).await);
    f.meta.set_trashed(before, Some((lin, 3))).await.unwrap();
    f.meta.trash_folder(folder_of(20), lin, 4).await.unwrap();
    assert_eq!(f.rights(with, &[lin, bo], 9).await, ["manage", "-"]);
    assert_eq!(f.listed(lin, true).await, [11], "what went by itself is listed by itself");
    let trashed = f.meta.trashed_folders(lin, 9, 9).await.unwrap();
    assert_eq!(trashed.iter().map(|view| view.row.id).collect::<Vec<_>>(), [folder_of(20)]);
    assert!(f.meta.trashed_folders(bo, 9, 9).await.unwrap().is_empty());
    // A room that is taken out of a folder in the trash stands at the top.
    f.meta.set_trashed(before, None).await.unwrap();
    assert_eq!(f.meta.room_by_id(before).await.unwrap().unwrap().folder, None);
    // So does a folder.
    f.meta.restore_folder(folder_of(21)).await.unwrap();
    assert_eq!(f.rights(with, &[lin, bo], 9).await, ["manage", "edit"]);
    let seen = f.meta.folders_in(TEAM, bo, 9).await.unwrap();
    assert_eq!(
        seen.iter().map(|v| (v.row.id, v.row.parent)).collect::<Vec<_>>(),
        [(folder_of(21), None)]
    );
    f.meta.restore_folder(folder_of(20)).await.unwrap();
    assert_eq!(f.meta.folders_in(TEAM, bo, 9).await.unwrap().len(), 2);
}

/// Random worlds: whoever is listed a room or folder may read it, and the other way round.
#[tokio::test]
async fn lists_show_what_the_rules_let_somebody_see() {
    for seed in 0..12 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let f = Fixture::new().await;
        let names = ["lin", "bo", "cy", "dee"];
        let mut people = Vec::new();
        for (id, name) in (1..).zip(names) {
            people.push(f.person(id, name).await);
        }
        let lin = people[0];
        f.team(lin).await;
        for (name, person) in names.iter().zip(&people).skip(1).filter(|_| seed % 3 > 0) {
            let role = Role::ALL[chance.usize(..4)];
            f.joins(lin, name, *person, role).await;
            if chance.bool() {
                f.meta.remove_member(TEAM, name, lin).await.unwrap();
            }
        }
        for id in 20..26 {
            let parent = (id > 20 && chance.bool()).then(|| chance.u8(20..id));
            f.folder(id, parent, people[chance.usize(..4)]).await;
        }
        let spaces = [TEAM, GALLERY, personal(people[1]), personal(people[2])];
        for id in 100..130 {
            let owner = people[chance.usize(..4)];
            if chance.bool() {
                f.room_in(id, owner, chance.bool().then(|| chance.u8(20..26))).await;
            } else {
                let space = spaces[chance.usize(..4)];
                let new = NewRoom { space, ..new_room(id, owner, None) };
                f.meta.create_room(&new, ROOMS_MAX, 1).await.unwrap();
            }
        }
        for _ in 0..25 {
            let room = RoomId::from_bytes([chance.u8(100..130); 16]);
            let on = if chance.bool() {
                Target::Room(room)
            } else {
                Target::Folder(folder_of(chance.u8(20..26)))
            };
            let right = [Right::Read, Right::Comment, Right::Edit, Right::Manage];
            let to = match chance.bool() {
                true => Grantee::Person(people[chance.usize(..4)]),
                false => Grantee::Space(spaces[chance.usize(..4)]),
            };
            let expires_at = chance.bool().then(|| chance.u64(8..12));
            let right = right[chance.usize(..4)];
            let write = f.meta.write().await.unwrap();
            grants::set(&write.txn, on, to, right, expires_at, lin, 1).await.unwrap();
            write.commit("store a grant").await.unwrap();
            if chance.u8(..8) == 0 {
                f.meta.set_trashed(room, Some((lin, 3))).await.unwrap();
            }
        }
        let mut holders = people.clone();
        for n in 200..220 {
            let room = RoomId::from_bytes([chance.u8(100..130); 16]);
            let link = f.link(n, room, lin, &mut chance).await;
            for person in people.iter().filter(|_| chance.bool()) {
                f.meta.hold_link(room, link, *person, 1).await.unwrap();
            }
            let guest = PersonId::from_bytes([n; 16]);
            f.guest(guest, room, link).await;
            holders.push(guest);
        }
        f.meta.set_public_links(chance.u8(..4) > 0).await.unwrap();
        f.meta.trash_folder(folder_of(chance.u8(20..26)), lin, 4).await.unwrap();
        let change = SpaceChange {
            links: Some(chance.u8(..4) > 0),
            public_links: Some(chance.bool()),
            outsiders: Some(chance.bool()),
            archived: Some(chance.u8(..4) == 0),
            ..SpaceChange::default()
        };
        f.meta.change_space(TEAM, &change, lin, 1).await.unwrap();

        for person in &holders {
            let mut listed = Vec::new();
            for space in [TEAM, GALLERY].into_iter().chain(people.iter().map(|p| personal(*p))) {
                let rooms = f.meta.rooms_of(*person, Which::In(space), 99, 10).await.unwrap();
                listed.extend(rooms.into_iter().map(|view| (view.row.id, view.right)));
            }
            let trashed = f.meta.rooms_of(*person, Which::Trashed, 99, 10).await.unwrap();
            listed.extend(trashed.into_iter().map(|view| (view.row.id, view.right)));
            listed.sort_unstable();
            let mut allowed = Vec::new();
            for id in 100..130 {
                let room = RoomId::from_bytes([id; 16]);
                let row = entities::room::Entity::find_by_id(bytes_of(room.as_bytes()));
                let row = row.one(&f.meta.db).await.unwrap().unwrap();
                if row.trashed_with.is_none()
                    && let Some(right) = f.meta.right(room, *person, 10).await.unwrap()
                {
                    allowed.push((room, right));
                }
            }
            assert_eq!(listed, allowed, "seed {seed}, {person}");
        }
    }
}

#[tokio::test]
async fn a_link_that_ends_is_held_by_nobody() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    let room = f.room(10, lin, None).await;
    let guest = PersonId::from_bytes([9; 16]);
    let new = |n: u8, password: Option<&str>| NewLink {
        id: LinkId::from_bytes([n; 16]),
        secret: format!("secret {n}"),
        public: true,
        right: Right::Comment,
        expires_at: None,
        password_hash: password.map(|hash| Some(hash.to_owned())),
    };
    let (link, ended) = f.meta.set_link(room, new(50, None), false, lin, 1).await.unwrap();
    assert_eq!(ended, None);
    assert!(f.meta.hold_link(room, link.id, bo, 1).await.unwrap());
    assert!(!f.meta.hold_link(room, link.id, bo, 1).await.unwrap());
    f.guest(guest, room, link.id).await;
    assert_eq!(f.rights(room, &[bo, guest], 9).await, ["comment", "comment"]);
    assert_eq!(f.meta.guest(&[9; 32], 98).await.unwrap().map(|guest| guest.link), Some(link.id));
    assert_eq!(f.meta.guest(&[9; 32], 99).await.unwrap(), None);
    assert_eq!(
        refusal(f.meta.shown_link(room, "secret 5", 9).await.map(drop)),
        Refusal::LinkExpired
    );

    // The same link, changed: whoever holds it does.
    let (same, ended) = f.meta.set_link(room, new(51, None), false, lin, 2).await.unwrap();
    assert_eq!((same.id, same.secret.as_str(), ended), (link.id, "secret 50", None));
    // With a password it is another one under the same secret.
    let (other, ended) = f.meta.set_link(room, new(52, Some("$")), false, lin, 3).await.unwrap();
    assert_eq!((other.secret.as_str(), ended), ("secret 50", Some(link.id)));
    assert_eq!(f.rights(room, &[lin, bo, guest], 9).await, ["manage", "-", "-"]);
    assert_eq!(f.meta.guest(&[9; 32], 9).await.unwrap(), None);
    assert_eq!(refusal(f.meta.hold_link(room, link.id, bo, 4).await), Refusal::LinkExpired);
    let (renewed, _) = f.meta.set_link(room, new(53, None), true, lin, 4).await.unwrap();
    assert_eq!(
        (renewed.secret.as_str(), renewed.password_hash.as_deref()),
        ("secret 53", Some("$"))
    );
    assert_eq!(f.meta.remove_link(room).await.unwrap(), Some(renewed.id));
    assert_eq!(f.meta.remove_link(room).await.unwrap(), None);
    assert_eq!(f.meta.room_link(room).await.unwrap(), None);
}

/// Outside of a request nobody acts; within one, what is rolled back leaves no row.
#[tokio::test]
async fn acts_are_noted_with_what_they_change() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    let room = f.room(10, lin, None).await;
    let all = AuditQuery { limit: 9, ..AuditQuery::default() };
    assert_eq!(f.meta.audit(all).await.unwrap(), []);
    let origin = Origin::new("192.0.2.7".to_owned(), 77);
    audited(origin, async {
        Origin::acts(lin);
        f.meta.grant(Target::Room(room), &to("bo", Right::Edit), lin, 1).await.unwrap();
        refusal(f.meta.grant(Target::Room(room), &to("cy", Right::Edit), lin, 1).await);
        f.meta.revoke(Target::Room(room), "bo").await.unwrap();
        f.meta.revoke(Target::Room(room), "bo").await.unwrap();
    })
    .await;
    let noted = f.meta.audit(AuditQuery { person: Some(bo), ..all }).await.unwrap();
    let brief = |entry: &AuditEntry| {
        (entry.act.clone(), entry.at, entry.address.clone(), entry.by.clone().map(|by| by.id))
    };
    let expected = |act: &str| (act.to_owned(), 77, "192.0.2.7".to_owned(), Some(lin));
    assert_eq!(
        noted.iter().map(brief).collect::<Vec<_>>(),
        [expected("grant_taken"), expected("granted")]
    );
    assert_eq!(
        f.meta.audit(AuditQuery { before: Some(noted[0].id), ..all }).await.unwrap().len(),
        1
    );
    f.meta.forget_acts(77).await.unwrap();
    assert_eq!(f.meta.audit(all).await.unwrap().len(), 2);
    f.meta.forget_acts(78).await.unwrap();
    assert_eq!(f.meta.audit(all).await.unwrap(), []);
}

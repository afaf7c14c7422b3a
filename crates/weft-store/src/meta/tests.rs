//! Metadata over a real file. Time is passed in, so nothing waits.

use sqlx::Connection as _;
use weft_core::{Millis, PersonId, Right, RoomId};

use super::*;

mod departures;
mod inboxes;
mod pushes;
mod quotas;
mod spaces;
mod webhooks;

const DAY: Millis = 24 * 60 * 60 * 1000;
const ROOMS_MAX: u64 = 100;

struct Fixture {
    meta: Meta,
    _dir: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let meta = Meta::open(&dir.path().join("meta.db")).await.unwrap();
        Self { meta, _dir: dir }
    }

    async fn person(&self, id: u8, username: &str) -> PersonId {
        self.meta.create_person(&new_person(id, username), 1).await.unwrap().id
    }

    async fn room(&self, id: u8, owner: PersonId, key: Option<&str>) -> RoomId {
        let new = new_room(id, owner, key);
        self.meta.create_room(&new, ROOMS_MAX, u64::from(id)).await.unwrap().id
    }

    async fn invite(&self, secret: u8, room: RoomId, right: Right, uses_max: u64) -> [u8; 16] {
        let new = NewInvite {
            id: [secret; 16],
            secret_hash: [secret; 32],
            room,
            right,
            created_by: self.meta.room_by_id(room).await.unwrap().unwrap().owner,
            expires_at: 7 * DAY,
            uses_max,
        };
        self.meta.create_invite(&new, 5, 0).await.unwrap().id
    }

    /// The names of the rooms that a person sees, by first byte of their ids.
    async fn listed(&self, person: PersonId, trashed: bool) -> Vec<u8> {
        let which = if trashed { Which::Trashed } else { Which::All };
        let rooms = self.meta.rooms_of(person, which, 10, 60).await.unwrap();
        rooms.iter().map(|view| view.row.id.as_bytes()[0]).collect()
    }
}

fn new_person(id: u8, username: &str) -> NewPerson {
    NewPerson {
        id: PersonId::from_bytes([id; 16]),
        username: username.to_owned(),
        name: format!("name of {username}"),
        email: Some(format!("{id}@example.org")),
        password_hash: "$".to_owned(),
        admin: false,
        language: "en".to_owned(),
    }
}

fn new_room(id: u8, owner: PersonId, key: Option<&str>) -> NewRoom {
    NewRoom {
        id: RoomId::from_bytes([id; 16]),
        kind: "doc".to_owned(),
        title: format!("room {id}"),
        key: key.map(str::to_owned),
        owner,
        space: personal(owner),
        folder: None,
        bytes: 0,
    }
}

fn to(username: &str, right: Right) -> NewGrant {
    NewGrant { to: NewGrantee::Username(username.to_owned()), right, expires_at: None }
}

fn new_sign_in(token: u8, person: PersonId) -> NewSignIn<'static> {
    NewSignIn {
        token_hash: [token; 32],
        person,
        proof: Proof::Password("$"),
        idle_ms_max: 30 * DAY,
        user_agent: "test",
    }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, MetaError>) -> Refusal {
    match result {
        Err(MetaError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_stored_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("meta.db");
    let meta = Meta::open(&path).await.unwrap();
    let made = meta.create_person(&new_person(1, "林月"), 5).await.unwrap();
    meta.close().await;
    let meta = Meta::open(&path).await.unwrap();
    assert_eq!(meta.person(made.id).await.unwrap(), Some(made.clone()));
    assert_eq!(meta.person_named("林月").await.unwrap(), Some(made));
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("meta.db");
    Meta::open(&path).await.unwrap().close().await;
    let options = SqliteConnectOptions::new().filename(&path);
    let mut raw = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("UPDATE schema_version SET version = 99").execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();
    let refused = Meta::open(&path).await;
    assert!(
        matches!(refused, Err(MetaError::NewerSchema { found: 99, known: migrations::SCHEMA })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn one_name_has_one_person() {
    let f = Fixture::new().await;
    f.person(1, "Lin.Yue").await;
    f.person(2, "林月").await;
    for same in ["lin.yue", "LIN.YUE", "ｌｉｎ.ｙｕｅ", "林月"] {
        let mut new = new_person(3, same);
        new.email = None;
        assert_eq!(refusal(f.meta.create_person(&new, 1).await), Refusal::UsernameTaken, "{same}");
    }
    let mut new = new_person(3, "other");
    new.email = Some("1@EXAMPLE.org".to_owned());
    assert_eq!(refusal(f.meta.create_person(&new, 1).await), Refusal::EmailTaken);
    for id in [3, 4] {
        let mut new = new_person(id, &format!("no-mail-{id}"));
        new.email = None;
        f.meta.create_person(&new, 1).await.unwrap();
    }
}

#[tokio::test]
async fn the_set_up_link_works_once_and_for_a_day() {
    let f = Fixture::new().await;
    let mut admin = new_person(1, "admin");
    admin.admin = true;
    let set_up = async |hash: [u8; 32], now| f.meta.set_up(&hash, &admin, "Team", now).await;
    assert_eq!(refusal(set_up([7; 32], 0).await), Refusal::LinkExpired);
    f.meta.set_setup_secret(SetupSecret { hash: [7; 32], expires_at: DAY }).await.unwrap();
    f.meta.set_setup_secret(SetupSecret { hash: [8; 32], expires_at: DAY }).await.unwrap();
    assert_eq!(refusal(set_up([7; 32], 0).await), Refusal::LinkExpired);
    assert_eq!(refusal(set_up([8; 32], DAY).await), Refusal::LinkExpired);
    assert!(!f.meta.has_admin().await.unwrap());
    set_up([8; 32], DAY - 1).await.unwrap();
    assert!(f.meta.has_admin().await.unwrap());
    assert_eq!(f.meta.workspace_name().await.unwrap(), "Team");
    assert_eq!(refusal(set_up([8; 32], 0).await), Refusal::SetupDone);
    assert_eq!(refusal(f.meta.check_setup(&[8; 32], 0).await), Refusal::SetupDone);
}

#[tokio::test]
async fn sign_ins_last_while_they_are_used() {
    let f = Fixture::new().await;
    let person = f.person(1, "lin").await;
    let new = new_sign_in(1, person);
    f.meta.create_sign_in(new.clone(), 0).await.unwrap();
    let ends = async |now| f.meta.sign_in(&[1; 32], now).await.unwrap().map(|s| s.expires_at);
    // Within the hour nothing is stored; later the end moves.
    assert_eq!(ends(SIGN_IN_TOUCH_MS - 1).await, Some(30 * DAY));
    assert_eq!(ends(20 * DAY).await, Some(50 * DAY));
    assert_eq!(ends(45 * DAY).await, Some(75 * DAY));
    assert_eq!(ends(75 * DAY).await, None);
    assert_eq!(f.meta.sign_in(&[2; 32], 0).await.unwrap(), None);

    // The next sign-in sweeps the old one away; signing out ends it at once.
    f.meta.create_sign_in(NewSignIn { token_hash: [2; 32], ..new }, 80 * DAY).await.unwrap();
    assert!(!f.meta.sign_out(&[1; 32]).await.unwrap());
    assert!(f.meta.sign_out(&[2; 32]).await.unwrap());
    assert_eq!(f.meta.sign_in(&[2; 32], 80 * DAY).await.unwrap(), None);
}

#[tokio::test]
async fn sign_ins_are_listed_and_ended_by_their_person() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    for (token, person, at) in [(1, lin, 0), (2, lin, 1), (3, bo, 2), (4, lin, 3)] {
        f.meta.create_sign_in(new_sign_in(token, person), at).await.unwrap();
    }
    for token in [2, 4] {
        let new = new_room_token(token + 10, token, lin, DAY);
        f.meta.create_room_token(&new, 9, 0).await.unwrap();
    }
    let id = |token: u8| sign_in_id(&[token; 32]);
    let listed = async |person, now| {
        let listed = f.meta.sign_ins(person, now).await.unwrap();
        listed.into_iter().map(|sign_in| (sign_in.id, sign_in.created_at)).collect::<Vec<_>>()
    };
    assert_eq!(listed(lin, 3).await, [(id(4), 3), (id(2), 1), (id(1), 0)]);
    assert_eq!(listed(lin, 30 * DAY).await, [(id(4), 3), (id(2), 1)], "one has expired");
    assert_eq!(refusal(f.meta.end_sign_in(bo, id(1)).await), Refusal::NotFound);
    assert_eq!(f.meta.end_sign_in(lin, id(2)).await.unwrap(), [2; 32]);
    assert_eq!(refusal(f.meta.end_sign_in(lin, id(2)).await), Refusal::NotFound);
    assert_eq!(f.meta.end_other_sign_ins(lin, &[1; 32]).await.unwrap(), [[4; 32]]);
    assert_eq!(listed(lin, 3).await, [(id(1), 0)]);
    assert_eq!(listed(bo, 3).await, [(id(3), 2)]);
    for token in [12, 14] {
        assert_eq!(f.meta.room_token(&[token; 32], 3).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_changed_password_ends_what_the_old_one_began() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    for token in [1, 2, 3] {
        f.meta.create_sign_in(new_sign_in(token, lin), u64::from(token)).await.unwrap();
    }
    let change = async |old: &str| f.meta.change_password(lin, old, "$new", &[2; 32]).await;
    assert_eq!(change("$").await.unwrap(), [[1; 32], [3; 32]]);
    assert_eq!(f.meta.credentials("lin").await.unwrap().unwrap().password_hash, "$new");
    // Whoever had checked the old one just before comes too late.
    assert_eq!(refusal(change("$").await), Refusal::PasswordChanged);
    let late = f.meta.create_sign_in(new_sign_in(4, lin), 5).await;
    assert_eq!(refusal(late), Refusal::PasswordChanged);
    let new = NewSignIn { proof: Proof::Password("$new"), ..new_sign_in(5, lin) };
    f.meta.create_sign_in(new, 6).await.unwrap();
    assert_eq!(f.meta.sign_ins(lin, 6).await.unwrap().len(), 2);
}

#[tokio::test]
async fn people_change_what_they_say_about_themselves() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    let some = |text: &str| Some(Some(text.to_owned()));
    let change = ProfileChange {
        name: Some("林月".to_owned()),
        email: some("1@EXAMPLE.org"),
        language: Some("zh".to_owned()),
        time_zone: some("Asia/Shanghai"),
        phone: some("+86 10"),
        digest: Some(Digest::Hourly),
    };
    let changed = f.meta.change_profile(lin, change).await.unwrap();
    assert_eq!(f.meta.person(lin).await.unwrap().as_ref(), Some(&changed));
    assert_eq!((changed.name.as_str(), changed.language.as_str()), ("林月", "zh"));
    assert_eq!(changed.email.as_deref(), Some("1@EXAMPLE.org"));
    assert_eq!(changed.time_zone.as_deref(), Some("Asia/Shanghai"));
    assert_eq!((changed.phone.as_deref(), changed.digest), (Some("+86 10"), Digest::Hourly));
    let same = f.meta.change_profile(lin, ProfileChange::default()).await.unwrap();
    assert_eq!(same, changed);

    let mine = ProfileChange { email: some("1@example.ORG"), ..ProfileChange::default() };
    assert_eq!(refusal(f.meta.change_profile(bo, mine).await), Refusal::EmailTaken);
    let none = ProfileChange { email: Some(None), phone: Some(None), ..ProfileChange::default() };
    let changed = f.meta.change_profile(lin, none).await.unwrap();
    assert_eq!((changed.email, changed.phone), (None, None));
    assert_eq!(changed.name, "林月");
    // An address that was given up is free.
    let free = ProfileChange { email: some("1@example.org"), ..ProfileChange::default() };
    f.meta.change_profile(bo, free).await.unwrap();
}

#[tokio::test]
async fn a_second_factor_takes_each_code_once() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    let meta = &f.meta;
    assert_eq!(meta.second_factor(lin).await.unwrap(), None);
    meta.begin_second_factor(lin, &[1; 20]).await.unwrap();
    meta.begin_second_factor(lin, &[2; 20]).await.unwrap();
    let factor = |on| SecondFactor { secret: vec![2; 20], on };
    assert_eq!(meta.second_factor(lin).await.unwrap(), Some(factor(false)));
    assert!(!meta.person(lin).await.unwrap().unwrap().second_factor);
    meta.turn_on_second_factor(lin, &[2; 20], 100, &[[7; 32], [8; 32]]).await.unwrap();
    assert_eq!(meta.second_factor(lin).await.unwrap(), Some(factor(true)));
    assert!(meta.person(lin).await.unwrap().unwrap().second_factor);
    assert_eq!(refusal(meta.begin_second_factor(lin, &[3; 20]).await), Refusal::SecondFactorOn);

    let mut taken = Vec::new();
    for step in [99, 100, 101, 101, 100, 103] {
        taken.push(meta.use_code(lin, step).await.unwrap());
    }
    assert_eq!(taken, [false, false, true, false, false, true], "later ones only");
    let recover =
        async |person, code: u8| meta.use_recovery_code(person, &[code; 32]).await.unwrap();
    assert!(!recover(bo, 7).await);
    assert!(recover(lin, 7).await);
    assert!(!recover(lin, 7).await);

    assert!(meta.remove_second_factor(lin).await.unwrap());
    assert!(!meta.remove_second_factor(lin).await.unwrap());
    assert_eq!(meta.second_factor(lin).await.unwrap(), None);
    assert!(!recover(lin, 8).await, "gone with it");
    // What was shown is what is confirmed, or nothing is.
    meta.begin_second_factor(lin, &[4; 20]).await.unwrap();
    let other = meta.turn_on_second_factor(lin, &[2; 20], 1, &[]).await;
    assert_eq!(refusal(other), Refusal::NotFound);
}

#[tokio::test]
async fn rooms_are_found_by_id_and_by_the_owners_key() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    let room = f.room(10, lin, Some("plan")).await;
    let other = f.room(11, bo, Some("plan")).await;
    let found =
        async |name: &str, person| f.meta.room(name, person).await.unwrap().map(|row| row.id);
    assert_eq!(found("plan", lin).await, Some(room));
    assert_eq!(found("plan", bo).await, Some(other));
    assert_eq!(found(&room.to_string(), bo).await, Some(room));
    assert_eq!(found("nothing", lin).await, None);
    // A key in the shape of an id does not hide the room of that id.
    f.room(12, bo, Some(&room.to_string())).await;
    assert_eq!(found(&room.to_string(), bo).await, Some(room));

    let again = new_room(13, lin, Some("plan"));
    assert_eq!(refusal(f.meta.create_room(&again, ROOMS_MAX, 1).await), Refusal::KeyTaken);
    let full = refusal(f.meta.check_room(lin, personal(lin), None, 1).await);
    assert_eq!(full, Refusal::TooManyRooms { limit: 1 });
}

#[tokio::test]
async fn rights_follow_grants_and_the_trash() {
    let f = Fixture::new().await;
    let (lin, bo, cy) =
        (f.person(1, "lin").await, f.person(2, "bo").await, f.person(3, "cy").await);
    let room = f.room(10, lin, None).await;
    let rights = async || {
        let mut rights = Vec::new();
        for person in [lin, bo, cy] {
            rights.push(f.meta.right(room, person, 9).await.unwrap().map(Right::name));
        }
        rights
    };
    assert_eq!(rights().await, [Some("manage"), None, None]);
    f.meta.grant(Target::Room(room), &to("BO", Right::Edit), lin, 1).await.unwrap();
    assert_eq!(rights().await, [Some("manage"), Some("edit"), None]);
    f.meta.grant(Target::Room(room), &to("bo", Right::Read), lin, 2).await.unwrap();
    assert_eq!(rights().await, [Some("manage"), Some("read"), None]);

    f.meta.set_trashed(room, Some((lin, 3))).await.unwrap();
    assert_eq!(rights().await, [Some("manage"), None, None]);
    assert_eq!((f.listed(lin, true).await, f.listed(bo, true).await), (vec![10], vec![]));
    assert_eq!((f.listed(lin, false).await, f.listed(bo, false).await), (vec![], vec![]));
    f.meta.set_trashed(room, None).await.unwrap();
    assert_eq!(rights().await, [Some("manage"), Some("read"), None]);

    f.meta.revoke(Target::Room(room), "bo").await.unwrap();
    f.meta.revoke(Target::Room(room), "bo").await.unwrap();
    assert_eq!(rights().await, [Some("manage"), None, None]);

    for who in ["lin", "LIN"] {
        let grant = f.meta.grant(Target::Room(room), &to(who, Right::Read), lin, 4).await;
        assert_eq!(refusal(grant), Refusal::IsOwner);
        assert_eq!(refusal(f.meta.revoke(Target::Room(room), who).await), Refusal::IsOwner);
    }
    assert_eq!(
        refusal(f.meta.grant(Target::Room(room), &to("dee", Right::Read), lin, 4).await),
        Refusal::NotFound
    );
    let nowhere = RoomId::from_bytes([99; 16]);
    assert_eq!(f.meta.right(nowhere, lin, 9).await.unwrap(), None);
}

#[tokio::test]
async fn lists_show_what_changed_last_first() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    for id in [10, 11, 12] {
        f.room(id, lin, None).await;
    }
    let first = RoomId::from_bytes([10; 16]);
    f.meta.grant(Target::Room(first), &to("bo", Right::Comment), lin, 1).await.unwrap();
    assert_eq!(f.listed(lin, false).await, [12, 11, 10]);
    f.meta.touch(first, bo, 50, None, 0).await.unwrap();
    f.meta.touch(first, lin, 40, None, 0).await.unwrap();
    assert_eq!(f.listed(lin, false).await, [10, 12, 11]);
    assert_eq!(f.listed(bo, false).await, [10]);

    let view = f.meta.room_view(first, bo, 60).await.unwrap().unwrap();
    assert_eq!((view.right, view.row.changed_at), (Right::Comment, 50));
    assert_eq!(view.changed_by.map(|p| p.name).as_deref(), Some("name of bo"));
    assert_eq!(view.owner.username, "lin");
    assert_eq!(f.meta.rooms_of(lin, Which::All, 2, 60).await.unwrap().len(), 2);

    let audience = f.meta.audience(first, 60).await.unwrap();
    let members: Vec<_> =
        audience.people.iter().map(|m| (m.person.username.as_str(), m.right, m.owner)).collect();
    assert_eq!(members, [("lin", Right::Manage, true), ("bo", Right::Comment, false)]);
}

#[tokio::test]
async fn invite_links_end_by_time_use_and_revocation() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    let (bo, cy) = (f.person(2, "bo").await, f.person(3, "cy").await);
    let room = f.room(10, lin, None).await;
    f.invite(1, room, Right::Comment, 1).await;
    let accept = async |secret: u8, person, now| {
        f.meta.accept_invite(&[secret; 32], person, now).await.map(|accepted| accepted.raised)
    };
    let look = f.meta.look_at_invite(&[1; 32], 0).await.unwrap();
    assert_eq!(
        (look.room, look.right, look.invited_by.as_str()),
        (room, Right::Comment, "name of lin")
    );

    assert_eq!(refusal(accept(9, bo, 0).await), Refusal::LinkExpired);
    assert_eq!(refusal(accept(1, bo, 7 * DAY).await), Refusal::LinkExpired);
    assert!(!accept(1, lin, 0).await.unwrap(), "the owner needs no link");
    assert!(accept(1, bo, 7 * DAY - 1).await.unwrap());
    assert!(!accept(1, bo, 0).await.unwrap(), "who is in already may come again");
    assert_eq!(refusal(accept(1, cy, 0).await), Refusal::LinkExpired);
    assert_eq!(refusal(f.meta.look_at_invite(&[1; 32], 0).await), Refusal::LinkExpired);

    // Raises, never lowers.
    f.invite(2, room, Right::Read, 5).await;
    f.invite(3, room, Right::Edit, 5).await;
    assert!(!accept(2, bo, 0).await.unwrap());
    assert_eq!(f.meta.right(room, bo, 9).await.unwrap(), Some(Right::Comment));
    assert!(accept(3, bo, 0).await.unwrap());
    assert_eq!(f.meta.right(room, bo, 9).await.unwrap(), Some(Right::Edit));

    let link = f.invite(4, room, Right::Read, 5).await;
    let elsewhere = f.room(11, lin, None).await;
    assert_eq!(refusal(f.meta.revoke_invite(elsewhere, link).await), Refusal::NotFound);
    f.meta.revoke_invite(room, link).await.unwrap();
    assert_eq!(refusal(f.meta.revoke_invite(room, link).await), Refusal::NotFound);
    assert_eq!(refusal(accept(4, cy, 0).await), Refusal::LinkExpired);
    let left = f.meta.invites(room, 0).await.unwrap();
    assert_eq!(left.iter().map(|i| (i.id[0], i.uses)).collect::<Vec<_>>(), [(3, 1), (2, 0)]);

    f.meta.set_trashed(room, Some((lin, 1))).await.unwrap();
    assert_eq!(refusal(accept(3, cy, 0).await), Refusal::LinkExpired);
}

#[tokio::test]
async fn many_who_accept_at_once_do_not_exceed_the_count() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    let room = f.room(10, lin, None).await;
    f.invite(1, room, Right::Read, 3).await;
    let mut people = Vec::new();
    for id in 2..12 {
        people.push(f.person(id, &format!("guest{id}")).await);
    }
    let meta = std::sync::Arc::new(f.meta);
    let tries: Vec<_> = people
        .into_iter()
        .map(|person| {
            let meta = std::sync::Arc::clone(&meta);
            tokio::spawn(async move { meta.accept_invite(&[1; 32], person, 0).await.is_ok() })
        })
        .collect();
    let mut let_in = 0;
    for done in tries {
        let_in += usize::from(done.await.unwrap());
    }
    assert_eq!(let_in, 3);
}

#[tokio::test]
async fn workspace_invites_make_so_many_accounts() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    let create = async |secret: u8, uses_max, invites_max| {
        let new = NewWorkspaceInvite {
            id: [secret; 16],
            secret_hash: [secret; 32],
            email: (uses_max == 1).then(|| "bo@example.org".to_owned()),
            created_by: lin,
            expires_at: DAY,
            uses_max,
        };
        f.meta.create_workspace_invite(&new, invites_max, u64::from(secret)).await
    };
    create(1, 2, 2).await.unwrap();
    create(2, 1, 2).await.unwrap();
    assert_eq!(refusal(create(3, 1, 2).await), Refusal::TooManyInvites { limit: 2 });
    let listed = async |now| {
        let listed = f.meta.workspace_invites(now).await.unwrap();
        listed.into_iter().map(|invite| (invite.id[0], invite.uses)).collect::<Vec<_>>()
    };
    let look = f.meta.workspace_invite(&[2; 32], 3).await.unwrap().unwrap();
    assert_eq!(look.email.as_deref(), Some("bo@example.org"));
    assert_eq!((look.invited_by.as_str(), look.created_at), ("name of lin", 2));

    let make = async |secret: u8, id: u8, name: &str, now| {
        f.meta.create_invited_person(&new_person(id, name), &[secret; 32], now).await
    };
    make(1, 11, "ann", 3).await.unwrap();
    // A name that is taken uses nothing up.
    assert_eq!(refusal(make(1, 12, "ANN", 3).await), Refusal::UsernameTaken);
    assert_eq!(listed(3).await, [(2, 0), (1, 1)]);
    assert_eq!(refusal(make(1, 12, "ben", DAY).await), Refusal::LinkExpired);
    make(1, 12, "ben", 3).await.unwrap();
    assert_eq!(refusal(make(1, 13, "cy", 3).await), Refusal::LinkExpired);
    assert_eq!(refusal(make(9, 13, "cy", 3).await), Refusal::LinkExpired);
    assert_eq!(listed(3).await, [(2, 0)]);
    assert_eq!(f.meta.workspace_invite(&[1; 32], 3).await.unwrap(), None);
    f.meta.revoke_workspace_invite([2; 16]).await.unwrap();
    assert_eq!(refusal(f.meta.revoke_workspace_invite([2; 16]).await), Refusal::NotFound);
    assert_eq!(refusal(make(2, 13, "cy", 3).await), Refusal::LinkExpired);
    assert_eq!(listed(3).await, []);
}

#[tokio::test]
async fn an_identified_person_uses_an_invite_or_is_not_made() {
    let f = Fixture::new().await;
    let new = NewWorkspaceInvite {
        id: [1; 16],
        secret_hash: [1; 32],
        email: None,
        created_by: f.person(1, "lin").await,
        expires_at: DAY,
        uses_max: 2,
    };
    f.meta.create_workspace_invite(&new, 1, 0).await.unwrap();
    let identity = |subject: &str| Identity {
        issuer: "https://id.example.org".to_owned(),
        subject: subject.to_owned(),
    };
    let make = async |secret: Option<u8>, id: u8, name: &str, email: Option<&str>, now| {
        let email = email.map(str::to_owned);
        let new = NewPerson { email, password_hash: String::new(), ..new_person(id, name) };
        let secret = secret.map(|secret| [secret; 32]);
        f.meta.create_identified_person(&new, false, &identity(name), secret.as_ref(), now).await
    };
    let uses = async || f.meta.workspace_invites(3).await.unwrap().first().map(|link| link.uses);
    make(None, 11, "ann", Some("ann@example.org"), 3).await.unwrap();
    assert_eq!(uses().await, Some(0));
    assert_eq!(
        refusal(make(Some(1), 12, "ben", Some("ANN@example.org"), 3).await),
        Refusal::EmailTaken
    );
    assert_eq!(refusal(make(Some(1), 12, "ann", None, 3).await), Refusal::IdentityTaken);
    assert_eq!(uses().await, Some(0), "who is not made uses nothing up");
    for (secret, now) in [(9, 3), (1, DAY)] {
        assert_eq!(refusal(make(Some(secret), 12, "ben", None, now).await), Refusal::LinkExpired);
        assert_eq!(f.meta.identified(&identity("ben")).await.unwrap(), None);
    }
    make(Some(1), 12, "ben", None, 3).await.unwrap();
    assert_eq!(uses().await, Some(1));
    make(Some(1), 13, "cy", None, 3).await.unwrap();
    assert_eq!(refusal(make(Some(1), 14, "dee", None, 3).await), Refusal::LinkExpired);
}

#[tokio::test]
async fn client_ids_belong_to_one_person_for_ninety_idle_days() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    let mut ids = Vec::new();
    for person in [lin, lin, bo] {
        ids.push(f.meta.new_client(person, 0).await.unwrap().0);
    }
    assert_eq!(ids, [1, 2, 3]);
    let claim = async |ids: &[u64], now| f.meta.claim_clients(lin, ids, now).await.unwrap();
    let claimed = |valid: &[u64], retired: &[u64]| ClaimedClients {
        valid: valid.to_vec(),
        retired: retired.to_vec(),
    };
    let strange = [0, 3, 2, 77, u64::MAX, 2];
    assert_eq!(claim(&strange, 0).await, claimed(&[2], &[0, 3, 77, u64::MAX]));
    // A use counts, so that 1 is idle for too long and 2 is not.
    assert_eq!(claim(&[2], 60 * DAY).await, claimed(&[2], &[]));
    assert_eq!(claim(&[1, 2], 90 * DAY + 1).await, claimed(&[2], &[1]));
    assert_eq!(claim(&[], 0).await, claimed(&[], &[]));
    let many: Vec<u64> = (1..=1200).collect();
    assert_eq!(claim(&many, 91 * DAY).await.valid, [2]);
}

fn new_access_token(id: u8, person: PersonId, expires_at: Option<Millis>) -> NewAccessToken {
    NewAccessToken {
        id: [id; 16],
        token_hash: [id; 32],
        person,
        name: format!("token {id}"),
        scopes: [Scope::RoomTokens, Scope::Write].into_iter().collect(),
        expires_at,
    }
}

fn new_room_token(id: u8, minted_with: u8, person: PersonId, expires_at: Millis) -> NewRoomToken {
    NewRoomToken {
        token_hash: [id; 32],
        minted_with: [minted_with; 32],
        person,
        room: TokenRoom::Key("k".to_owned()),
        right: Right::Comment,
        name: Some("Guest".to_owned()),
        expires_at,
    }
}

#[tokio::test]
async fn access_tokens_end_by_time_and_revocation() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    let create = async |new: NewAccessToken| f.meta.create_access_token(&new, 2, 5).await;
    let lasting = create(new_access_token(1, lin, None)).await.unwrap();
    let ending = create(new_access_token(2, lin, Some(DAY))).await.unwrap();
    let third = create(new_access_token(3, lin, None)).await;
    assert_eq!(refusal(third), Refusal::TooManyTokens { limit: 2 });
    assert_eq!(f.meta.access_tokens(lin).await.unwrap(), [ending.clone(), lasting.clone()]);
    assert_eq!(f.meta.access_tokens(bo).await.unwrap(), []);

    let used = async |id: u8, now| {
        let token = f.meta.access_token(&[id; 32], now).await.unwrap();
        token.map(|(person, token)| (person.id, token.used_at))
    };
    assert_eq!(used(1, 10).await, Some((lin, None)));
    assert_eq!(used(1, 10 + ACCESS_TOKEN_TOUCH_MS - 1).await, Some((lin, Some(10))));
    let later = 10 + ACCESS_TOKEN_TOUCH_MS;
    used(1, later).await;
    assert_eq!(used(1, later).await, Some((lin, Some(later))), "stored once an hour");
    assert_eq!(used(2, DAY - 1).await, Some((lin, None)));
    assert_eq!(used(2, DAY).await, None);
    assert_eq!(used(9, 0).await, None);

    assert_eq!(refusal(f.meta.revoke_access_token(bo, [1; 16]).await), Refusal::NotFound);
    assert_eq!(f.meta.revoke_access_token(lin, [1; 16]).await.unwrap(), [1; 32]);
    assert_eq!(refusal(f.meta.revoke_access_token(lin, [1; 16]).await), Refusal::NotFound);
    assert_eq!(used(1, later).await, None);

    let scopes = &ending.scopes;
    let allowed = Scope::ALL.map(|scope| scopes.allow(scope));
    assert_eq!(allowed, [true, true, false, true], "who may write may read");
    assert_eq!(scopes.names().collect::<Vec<_>>(), ["write", "room-tokens"]);
}

#[tokio::test]
async fn room_tokens_end_by_time_and_with_what_they_were_minted_with() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    let sign_in = NewSignIn { idle_ms_max: DAY, ..new_sign_in(1, lin) };
    f.meta.create_sign_in(sign_in, 0).await.unwrap();
    for (id, expires_at) in [(2, None), (3, Some(DAY))] {
        let new = new_access_token(id, lin, expires_at);
        f.meta.create_access_token(&new, 9, 0).await.unwrap();
    }
    for (id, minted_with) in [(11, 1), (12, 2), (13, 3), (14, 4)] {
        let new = new_room_token(id, minted_with, lin, 3 * DAY);
        f.meta.create_room_token(&new, 9, 0).await.unwrap();
    }
    let valid = async |now| {
        let mut valid = Vec::new();
        for id in 11..=14 {
            if let Some(token) = f.meta.room_token(&[id; 32], now).await.unwrap() {
                assert_eq!(token.person.id, lin);
                assert_eq!((token.right, token.name.as_deref()), (Right::Comment, Some("Guest")));
                assert_eq!(token.room, TokenRoom::Key("k".to_owned()));
                valid.push(id);
            }
        }
        valid
    };
    assert_eq!(valid(0).await, [11, 12, 13], "one minted with nothing is worth nothing");
    assert_eq!(valid(DAY).await, [12], "the sign-in and the other token have ended");
    assert_eq!(valid(3 * DAY).await, [0; 0]);
    f.meta.sign_out(&[1; 32]).await.unwrap();
    assert_eq!(valid(0).await, [12, 13]);
    f.meta.revoke_access_token(lin, [2; 16]).await.unwrap();
    assert_eq!(valid(0).await, [13]);

    // Expired ones are forgotten, and count no more.
    let full = f.meta.create_room_token(&new_room_token(21, 3, lin, 9 * DAY), 2, 0).await;
    assert_eq!(refusal(full), Refusal::TooManyTokens { limit: 2 });
    let new = new_room_token(21, 3, lin, 9 * DAY);
    f.meta.create_room_token(&new, 2, 3 * DAY).await.unwrap();
    assert_eq!(valid(0).await, [0; 0]);
}

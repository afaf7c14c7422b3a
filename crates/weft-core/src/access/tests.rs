//! One decision, two forms; the words of the rules.

use proptest::prelude::*;

use super::*;

const NOW: Millis = 1_000;

fn person(n: u8) -> PersonId {
    PersonId::from_bytes([n; 16])
}

fn space(n: u8) -> SpaceId {
    SpaceId::from_bytes([n; 16])
}

fn link(n: u8) -> LinkId {
    LinkId::from_bytes([n; 16])
}

const RIGHTS: [Right; 4] = [Right::Read, Right::Comment, Right::Edit, Right::Manage];

fn a_right() -> impl Strategy<Value = Right> {
    proptest::sample::select(&RIGHTS[..])
}

fn a_grant() -> impl Strategy<Value = Grant> {
    let to = prop_oneof![
        (0..3_u8).prop_map(|n| Grantee::Person(person(n))),
        (0..3_u8).prop_map(|n| Grantee::Space(space(n))),
        (0..3_u8, any::<bool>()).prop_map(|(n, public)| Grantee::Link { id: link(n), public }),
    ];
    let expires_at = proptest::option::of(NOW - 1..=NOW + 1);
    (to, a_right(), expires_at).prop_map(|(to, right, expires_at)| Grant { to, right, expires_at })
}

fn a_subject() -> impl Strategy<Value = Subject> {
    let role = proptest::sample::select(&Role::ALL[..]);
    let roles = proptest::collection::btree_map((0..3_u8).prop_map(space), role, 0..3);
    let links = || proptest::collection::btree_set((0..3_u8).prop_map(link), 0..3);
    prop_oneof![
        3 => (roles, links()).prop_map(|(roles, links)| Subject { roles, links, ..stranger() }),
        1 => links().prop_map(|links| Subject { person: person(9), links, is_guest: true, ..stranger() }),
    ]
}

fn an_object() -> impl Strategy<Value = Object> {
    let kind =
        proptest::sample::select(&[SpaceKind::Personal, SpaceKind::Team, SpaceKind::Gallery][..]);
    let switches = any::<[bool; 5]>();
    let grants = proptest::collection::vec(a_grant(), 0..4);
    (0..2_u8, 0..3_u8, kind, switches, grants).prop_map(
        |(
            creator,
            stands,
            space_kind,
            [archived, outsiders, links, public_links, trashed],
            grants,
        )| Object {
            creator: person(creator),
            space: space(stands),
            space_kind,
            archived,
            outsiders,
            links,
            public_links,
            trashed,
            grants,
        },
    )
}

fn circumstances() -> impl Strategy<Value = Circumstances> {
    (a_right(), any::<[bool; 2]>()).prop_map(|(cap, [is_old_session, is_read_only])| {
        Circumstances { now: NOW, cap, is_old_session, is_read_only }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_filter_lets_through_what_the_check_allows(
        who in a_subject(), what in an_object(), when in circumstances(), needed in a_right(),
    ) {
        let allowed = check(&who, &what, &when) >= Some(needed);
        prop_assert_eq!(filter(&who, &when, needed).holds(&what), allowed);
    }

    #[test]
    fn a_grant_more_never_takes_away_and_a_limit_never_gives(
        who in a_subject(), what in an_object(), when in circumstances(), more in a_grant(),
    ) {
        let right = check(&who, &what, &when);
        let mut granted = what.clone();
        granted.grants.push(more);
        prop_assert!(check(&who, &granted, &when) >= right);
        for limited in [
            Object { archived: true, ..what.clone() },
            Object { outsiders: false, ..what.clone() },
            Object { links: false, ..what.clone() },
            Object { public_links: false, ..what.clone() },
            Object { trashed: true, ..what.clone() },
        ] {
            prop_assert!(check(&who, &limited, &when) <= right);
        }
        for limited in [
            Circumstances { is_old_session: true, ..when },
            Circumstances { is_read_only: true, ..when },
            Circumstances { cap: Right::Read, ..when },
        ] {
            prop_assert!(check(&who, &what, &limited) <= right);
        }
    }
}

fn stranger() -> Subject {
    Subject::stranger(person(0))
}

fn member(role: Role) -> Subject {
    Subject { roles: BTreeMap::from([(space(1), role)]), ..stranger() }
}

/// A room of person 1 in the team space 1.
fn room() -> Object {
    Object {
        creator: person(1),
        space: space(1),
        space_kind: SpaceKind::Team,
        archived: false,
        outsiders: true,
        links: true,
        public_links: true,
        trashed: false,
        grants: Vec::new(),
    }
}

fn right(who: &Subject, what: &Object) -> Option<&'static str> {
    check(who, what, &Circumstances::plain(NOW)).map(Right::name)
}

#[test]
fn roles_give_their_right_and_strangers_see_nothing() {
    let rights = Role::ALL.map(|role| right(&member(role), &room()));
    assert_eq!(
        rights,
        [Some("read"), Some("comment"), Some("edit"), Some("manage"), Some("manage")]
    );
    assert_eq!(right(&stranger(), &room()), None);
}

#[test]
fn who_made_it_manages_it_until_they_leave() {
    let mine = Object { creator: person(0), ..room() };
    assert_eq!(right(&member(Role::Viewer), &mine), Some("manage"));
    assert_eq!(right(&stranger(), &mine), None);
}

#[test]
fn grants_end_and_rules_of_the_space_stand_above_them() {
    let to = Grantee::Person(person(0));
    let grant = |expires_at| Grant { to, right: Right::Edit, expires_at };
    let granted = |expires_at| Object { grants: vec![grant(expires_at)], ..room() };
    assert_eq!(right(&stranger(), &granted(Some(NOW + 1))), Some("edit"));
    assert_eq!(right(&stranger(), &granted(Some(NOW))), None);
    let closed = Object { outsiders: false, ..granted(None) };
    assert_eq!(right(&stranger(), &closed), None);
    assert_eq!(right(&member(Role::Viewer), &closed), Some("edit"));
}

#[test]
fn in_the_trash_only_who_manages_sees_it() {
    let trashed = Object { trashed: true, ..room() };
    assert_eq!(right(&member(Role::Editor), &trashed), None);
    assert_eq!(right(&member(Role::Admin), &trashed), Some("manage"));
    // Whoever managed it can still find it there, though nothing in the space changes any more.
    let archived = Object { archived: true, ..trashed };
    assert_eq!(right(&member(Role::Admin), &archived), Some("read"));
}

/// A link to the room, to edit.
fn a_link(public: bool) -> Grant {
    let to = Grantee::Link { id: link(1), public };
    Grant { to, right: Right::Edit, expires_at: Some(NOW + 1) }
}

fn holding(who: Subject) -> Subject {
    Subject { links: BTreeSet::from([link(1)]), ..who }
}

fn guest() -> Subject {
    Subject { is_guest: true, ..holding(Subject::stranger(person(9))) }
}

#[test]
fn links_let_in_who_holds_them_and_public_ones_guests() {
    let check = |public: bool, change: fn(&mut Object), expected: [Option<&str>; 3]| {
        let mut room = Object { grants: vec![a_link(public)], ..room() };
        change(&mut room);
        let rights = [&stranger(), &holding(stranger()), &guest()].map(|who| right(who, &room));
        assert_eq!(rights, expected, "{room:?}");
    };
    let edit = Some("edit");
    check(false, |_| (), [None, edit, None]);
    check(true, |_| (), [None, edit, edit]);
    check(true, |room| room.public_links = false, [None, edit, None]);
    check(true, |room| room.links = false, [None; 3]);
    check(true, |room| room.outsiders = false, [None; 3]);
    check(true, |room| room.trashed = true, [None; 3]);
    check(true, |room| room.archived = true, [None, Some("read"), Some("read")]);
    check(true, |room| room.grants[0].expires_at = Some(NOW), [None; 3]);
    check(true, |room| room.grants[0].to = Grantee::Link { id: link(2), public: true }, [None; 3]);
    // In the gallery everybody with an account reads; a guest has the link alone.
    let gallery = Object { space_kind: SpaceKind::Gallery, ..room() };
    assert_eq!([right(&stranger(), &gallery), right(&guest(), &gallery)], [Some("read"), None]);
}

#[test]
fn a_link_makes_no_maker_of_who_was_shut_out() {
    let maker = Subject::stranger(person(1));
    let room = Object { grants: vec![a_link(true)], ..room() };
    assert_eq!(right(&maker, &room), None);
    assert_eq!(right(&holding(maker.clone()), &room), Some("edit"));
    let member = Subject { roles: BTreeMap::from([(space(1), Role::Viewer)]), ..maker };
    assert_eq!(right(&member, &room), Some("manage"));
}

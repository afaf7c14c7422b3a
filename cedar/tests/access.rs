//! Random worlds, in which the policies and `check` must allow the same.

use std::{collections::BTreeSet, fmt::Write as _, str::FromStr};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request, RestrictedExpression,
};
use fastrand::Rng;
use weft_core::{
    LinkId, PersonId, Right, SpaceId,
    access::{Circumstances, Grant, Grantee, Object, Role, SpaceKind, Subject, check},
};

const WORLDS: u64 = 4_000;
const NOW: u64 = 1_000;
const RIGHTS: [Right; 4] = [Right::Read, Right::Comment, Right::Edit, Right::Manage];

/// Somebody, something, and when.
struct World {
    who: Subject,
    what: Object,
    when: Circumstances,
}

#[test]
fn the_policies_allow_what_the_check_allows() {
    let authorizer = Authorizer::new();
    let mut allowed = 0;
    for seed in 0..WORLDS {
        let world = World::random(&mut Rng::with_seed(seed));
        let policies = PolicySet::from_str(&policies_of(&world.what)).unwrap();
        let entities = Entities::from_json_str(&entities_of(&world), None).unwrap();
        let right = check(&world.who, &world.what, &world.when);
        for action in RIGHTS {
            let answer =
                authorizer.is_authorized(&request(&world, action), &policies, &entities);
            let errors: Vec<_> = answer.diagnostics().errors().collect();
            assert!(errors.is_empty(), "seed {seed}: {errors:?}");
            let expected = if right >= Some(action) { Decision::Allow } else { Decision::Deny };
            assert_eq!(answer.decision(), expected, "seed {seed}, {}", action.name());
            allowed += u64::from(expected == Decision::Allow);
        }
    }
    // Worlds in which nobody may do anything would prove nothing.
    assert!(allowed > WORLDS / 4 && allowed < 3 * WORLDS, "{allowed}");
}

impl World {
    fn random(chance: &mut Rng) -> Self {
        let is_guest = chance.u8(..4) == 0;
        let links: BTreeSet<LinkId> = (0..3).filter(|_| chance.bool()).map(link).collect();
        let roles = (0..3).filter(|_| !is_guest && chance.u8(..3) == 0);
        let roles: Vec<u8> = roles.collect();
        let roles = roles.into_iter().map(|n| (space(n), Role::ALL[chance.usize(..5)])).collect();
        let who = Subject { person: person(if is_guest { 9 } else { 0 }), roles, links, is_guest };
        let kinds = [SpaceKind::Personal, SpaceKind::Team, SpaceKind::Team, SpaceKind::Gallery];
        let grants = (0..chance.usize(..4)).map(|_| grant(chance)).collect();
        let what = Object {
            creator: person(chance.u8(..2)),
            space: space(chance.u8(..3)),
            space_kind: kinds[chance.usize(..4)],
            archived: chance.u8(..4) == 0,
            outsiders: chance.u8(..4) > 0,
            links: chance.u8(..4) > 0,
            public_links: chance.u8(..4) > 0,
            trashed: chance.u8(..4) == 0,
            grants,
        };
        let when = Circumstances {
            now: NOW,
            cap: RIGHTS[3 - chance.usize(..4) * chance.usize(..2)],
            is_old_session: chance.u8(..4) == 0,
            is_read_only: chance.u8(..8) == 0,
        };
        Self { who, what, when }
    }
}

fn grant(chance: &mut Rng) -> Grant {
    let n = chance.u8(..3);
    let to = match chance.u8(..3) {
        0 => Grantee::Person(person(n)),
        1 => Grantee::Space(space(n)),
        _ => Grantee::Link { id: link(n), public: chance.bool() },
    };
    let expires_at = chance.bool().then(|| chance.u64(NOW - 1..=NOW + 1));
    Grant { to, right: RIGHTS[chance.usize(..4)], expires_at }
}

/// The policies of every world, and those of this one's grants.
fn policies_of(what: &Object) -> String {
    let mut text = include_str!("../access.cedar").to_owned();
    for grant in &what.grants {
        let (to, rule) = match grant.to {
            Grantee::Person(id) => (format!("Person::\"{id}\""), "true"),
            Grantee::Space(id) => (role_group(id, Role::Viewer), "true"),
            Grantee::Link { id, public: false } => {
                (format!("Link::\"{id}\""), "resource.links && principal is Person")
            }
            Grantee::Link { id, public: true } => (
                format!("Link::\"{id}\""),
                "resource.links && (principal is Person || resource.public_links)",
            ),
        };
        let end = grant.expires_at.map_or("true".to_owned(), |end| format!("context.now < {end}"));
        let counts = "(resource.outsiders || resource.gallery || principal in resource.viewers)";
        let group = group(grant.right);
        let trash = if grant.right == Right::Manage { "true" } else { "!resource.trashed" };
        writeln!(
            text,
            "permit(principal in {to}, action in {group}, resource) when {{ {end} && {rule} && {counts} && {trash} }};"
        )
        .unwrap();
        if !matches!(grant.to, Grantee::Link { .. }) {
            let manage = group_of_all();
            writeln!(
                text,
                "permit(principal in {to}, action in {manage}, resource) when {{ {end} && {counts} && principal == resource.creator }};"
            )
            .unwrap();
        }
    }
    text
}

fn group(right: Right) -> &'static str {
    match right {
        Right::Read => "Action::\"CanRead\"",
        Right::Comment => "Action::\"CanComment\"",
        Right::Edit => "Action::\"CanEdit\"",
        Right::Manage => group_of_all(),
    }
}

const fn group_of_all() -> &'static str {
    "Action::\"CanManage\""
}

fn role_group(space: SpaceId, role: Role) -> String {
    format!("Role::\"{space}/{}\"", role.name())
}

/// Who is in which group, and what is asked about.
fn entities_of(World { who, what, .. }: &World) -> String {
    let mut entities = Vec::new();
    let mut add = |uid: &str, attrs: &str, parents: &[String]| {
        let json = |uid: &str| {
            let (kind, id) = uid.split_once("::").unwrap();
            format!("{{\"type\": \"{kind}\", \"id\": {id}}}")
        };
        let parents: Vec<_> = parents.iter().map(|parent| json(parent)).collect();
        entities.push(format!(
            "{{\"uid\": {}, \"attrs\": {{{attrs}}}, \"parents\": [{}]}}",
            json(uid),
            parents.join(", ")
        ));
    };
    for (n, right) in RIGHTS.into_iter().enumerate() {
        let groups: Vec<_> = RIGHTS[n..].iter().map(|&right| group(right).to_owned()).collect();
        add(&format!("Action::\"{}\"", right.name()), "", &groups);
    }
    let mut spaces: BTreeSet<SpaceId> = who.roles.keys().copied().collect();
    spaces.insert(what.space);
    for space in spaces {
        for pair in Role::ALL.windows(2) {
            add(&role_group(space, pair[1]), "", &[role_group(space, pair[0])]);
        }
    }
    let mut groups: Vec<_> =
        who.roles.iter().map(|(space, role)| role_group(*space, *role)).collect();
    groups.extend(who.links.iter().map(|link| format!("Link::\"{link}\"")));
    add(&principal(who), "", &groups);
    let refer = |uid: &str| {
        let (kind, id) = uid.split_once("::").unwrap();
        format!("{{\"__entity\": {{\"type\": \"{kind}\", \"id\": {id}}}}}")
    };
    let attrs = [
        ("creator", refer(&format!("Person::\"{}\"", what.creator))),
        ("gallery", (what.space_kind == SpaceKind::Gallery).to_string()),
        ("archived", what.archived.to_string()),
        ("outsiders", what.outsiders.to_string()),
        ("links", what.links.to_string()),
        ("public_links", what.public_links.to_string()),
        ("trashed", what.trashed.to_string()),
        ("viewers", refer(&role_group(what.space, Role::Viewer))),
        ("commenters", refer(&role_group(what.space, Role::Commenter))),
        ("editors", refer(&role_group(what.space, Role::Editor))),
        ("admins", refer(&role_group(what.space, Role::Admin))),
    ];
    let attrs: Vec<_> = attrs.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    add("Room::\"it\"", &attrs.join(", "), &[]);
    format!("[{}]", entities.join(",\n"))
}

fn principal(who: &Subject) -> String {
    format!("{}::\"{}\"", if who.is_guest { "Guest" } else { "Person" }, who.person)
}

fn request(World { who, when, .. }: &World, action: Right) -> Request {
    let uid = |text: &str| EntityUid::from_str(text).unwrap();
    let allowed = RIGHTS.into_iter().filter(|&right| right <= when.cap);
    let allowed = allowed.map(|right| {
        RestrictedExpression::new_entity_uid(uid(&format!("Action::\"{}\"", right.name())))
    });
    let now = i64::try_from(when.now).unwrap();
    let context = Context::from_pairs([
        ("now".to_owned(), RestrictedExpression::new_long(now)),
        ("read_only".to_owned(), RestrictedExpression::new_bool(when.is_read_only)),
        ("old_session".to_owned(), RestrictedExpression::new_bool(when.is_old_session)),
        ("allowed".to_owned(), RestrictedExpression::new_set(allowed)),
    ]);
    let action = uid(&format!("Action::\"{}\"", action.name()));
    let resource = uid("Room::\"it\"");
    Request::new(uid(&principal(who)), action, resource, context.unwrap(), None).unwrap()
}

fn person(n: u8) -> PersonId {
    PersonId::from_bytes([n; 16])
}

fn space(n: u8) -> SpaceId {
    SpaceId::from_bytes([n; 16])
}

fn link(n: u8) -> LinkId {
    LinkId::from_bytes([n; 16])
}

//! Who may do what: one decision, in two forms.
//!
//! [`check`] decides about one object. [`filter`] says the same as a condition on objects, for lists
//! that a database makes. They are written apart, and tests hold them equal.
//!
//! An object (a room or a folder) stands in a space. What somebody may do in it comes from their role in the space, from
//! grants on it and on the folders around it, and from having made it. The rules of the space, the trash, and the circumstances
//! of the session are limits on top: the strictest wins.
//!
//! Not here: how facts are stored (`weft-store`), how a change of rights reaches sessions (`room`).

use std::collections::{BTreeMap, BTreeSet};

use crate::{LinkId, Millis, PersonId, Right, SpaceId};

/// What a member is in a space; each role includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads.
    Viewer,
    /// And comments.
    Commenter,
    /// And changes contents, and makes rooms and folders.
    Editor,
    /// And manages rooms, folders, members below admin, and the space's rules.
    Admin,
    /// And archives the space, makes admins, and hands the space over.
    Owner,
}

impl Role {
    /// All roles, the least first.
    pub const ALL: [Self; 5] =
        [Self::Viewer, Self::Commenter, Self::Editor, Self::Admin, Self::Owner];

    /// What it allows in each room of the space.
    #[must_use]
    pub const fn right(self) -> Right {
        match self {
            Self::Viewer => Right::Read,
            Self::Commenter => Right::Comment,
            Self::Editor => Right::Edit,
            Self::Admin | Self::Owner => Right::Manage,
        }
    }

    /// The name that the API and the metadata use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Commenter => "commenter",
            Self::Editor => "editor",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Whose a space is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpaceKind {
    /// One person's.
    Personal,
    /// Its members'.
    Team,
    /// Everybody's to read and to add to. There is one.
    Gallery,
}

impl SpaceKind {
    /// The name that the API and the metadata use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Team => "team",
            Self::Gallery => "gallery",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Personal, Self::Team, Self::Gallery].into_iter().find(|kind| kind.name() == name)
    }
}

/// Who asks: a person, or a guest, who has no account and came by a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Who.
    pub person: PersonId,
    /// The spaces of which they are a member; a guest is of none.
    pub roles: BTreeMap<SpaceId, Role>,
    /// The links that they have shown, with the password if there was one to give.
    pub links: BTreeSet<LinkId>,
    /// Whether they have no account.
    pub is_guest: bool,
}

impl Subject {
    /// A person who is nobody's member and holds no link.
    #[must_use]
    pub const fn stranger(person: PersonId) -> Self {
        Self { person, roles: BTreeMap::new(), links: BTreeSet::new(), is_guest: false }
    }
}

/// To whom a right was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grantee {
    /// One person.
    Person(PersonId),
    /// All members of a space, whatever their role there.
    Space(SpaceId),
    /// Whoever holds a link: people with an account and, if it is public, guests.
    Link {
        /// Which.
        id: LinkId,
        /// Whether it is for guests, too.
        public: bool,
    },
}

/// A right that was given on an object or on a folder around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// To whom.
    pub to: Grantee,
    /// How much.
    pub right: Right,
    /// From then on it is as if it were not there.
    pub expires_at: Option<Millis>,
}

impl Grant {
    fn gives(&self, right: Right, now: Millis) -> bool {
        self.right >= right && self.expires_at.is_none_or(|end| now < end)
    }

    fn holds_for(&self, who: &Subject, what: &Object, now: Millis) -> bool {
        self.gives(Right::Read, now)
            && match self.to {
                Grantee::Person(person) => person == who.person,
                Grantee::Space(space) => who.roles.contains_key(&space),
                Grantee::Link { id, public } => {
                    what.links
                        && who.links.contains(&id)
                        && (!who.is_guest || (public && what.public_links))
                }
            }
    }
}

/// What is asked about: a room or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Who made it.
    pub creator: PersonId,
    /// Where it stands.
    pub space: SpaceId,
    /// Whose that is.
    pub space_kind: SpaceKind,
    /// The space is put away: its contents can be read, no more.
    pub archived: bool,
    /// The space allows grants to people who are no members.
    pub outsiders: bool,
    /// The space allows links.
    pub links: bool,
    /// The space and the workspace allow links to let guests in.
    pub public_links: bool,
    /// It, or a folder around it, is in the trash.
    pub trashed: bool,
    /// Its own grants, and those of the folders around it.
    pub grants: Vec<Grant>,
}

/// What else the decision looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// The time.
    pub now: Millis,
    /// The most that the credential allows.
    pub cap: Right,
    /// The session began so long ago that it has to begin anew before it manages anything.
    pub is_old_session: bool,
    /// The store takes no changes.
    pub is_read_only: bool,
}

impl Circumstances {
    /// A session without limits of its own.
    #[must_use]
    pub const fn plain(now: Millis) -> Self {
        Self { now, cap: Right::Manage, is_old_session: false, is_read_only: false }
    }
}

/// Why somebody may open an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// They made it, and can open it still, not by a link alone.
    Creator,
    /// Their role in its space.
    Role(Role),
    /// Everybody may read what is in the gallery.
    Gallery,
    /// The grant at this place in [`Object::grants`].
    Grant(usize),
}

/// Why the person may open the object, and how much each reason gives, limits aside.
#[must_use]
pub fn reasons(who: &Subject, what: &Object, now: Millis) -> Vec<(Reason, Right)> {
    let role = who.roles.get(&what.space).copied();
    let in_gallery = what.space_kind == SpaceKind::Gallery;
    let mut reasons = Vec::new();
    reasons.extend(role.map(|role| (Reason::Role(role), role.right())));
    reasons.extend((in_gallery && !who.is_guest).then_some((Reason::Gallery, Right::Read)));
    let mut by_link = 0;
    if what.outsiders || in_gallery || role.is_some() {
        let held = |(_, grant): &(usize, &Grant)| grant.holds_for(who, what, now);
        for (at, grant) in what.grants.iter().enumerate().filter(held) {
            by_link += usize::from(matches!(grant.to, Grantee::Link { .. }));
            reasons.push((Reason::Grant(at), grant.right));
        }
    }
    // A link gives what it says: it does not make anew the maker of somebody who was shut out.
    if who.person == what.creator && reasons.len() > by_link {
        reasons.push((Reason::Creator, Right::Manage));
    }
    reasons
}

/// What the person may do with the object; `None`: not even know of it.
#[must_use]
pub fn check(who: &Subject, what: &Object, when: &Circumstances) -> Option<Right> {
    let right = reasons(who, what, when.now).into_iter().map(|(_, right)| right).max()?;
    if what.trashed && right < Right::Manage {
        return None;
    }
    Some(limited(right, what.archived, when))
}

/// What is left of a right in a space that is put away or not, under the circumstances.
#[must_use]
pub fn limited(right: Right, archived: bool, when: &Circumstances) -> Right {
    let limits = [
        (archived || when.is_read_only, Right::Read),
        (when.is_old_session, Right::Edit),
        (true, when.cap),
    ];
    limits.into_iter().filter(|(holds, _)| *holds).fold(right, |right, (_, limit)| right.min(limit))
}

/// A condition on objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All of these; none: always.
    All(Vec<Self>),
    /// One of these; none: never.
    Any(Vec<Self>),
    /// Not that.
    Not(Box<Self>),
    /// It stands in one of these spaces.
    InSpaces(Vec<SpaceId>),
    /// It stands in the gallery.
    InGallery,
    /// Its space is put away.
    Archived,
    /// Its space allows grants to people who are no members.
    Outsiders,
    /// Its space allows links.
    Links,
    /// Its space and the workspace allow links to let guests in.
    PublicLinks,
    /// It is in the trash.
    Trashed,
    /// This person made it.
    CreatedBy(PersonId),
    /// A grant of at least this right, on it or a folder around it, to the person or to one of the spaces holds.
    Granted {
        /// The person.
        person: PersonId,
        /// The spaces.
        spaces: Vec<SpaceId>,
        /// The least right that counts.
        right: Right,
        /// The time.
        now: Millis,
    },
    /// A grant of at least this right, on it or a folder around it, to one of the links holds.
    Linked {
        /// The links.
        links: Vec<LinkId>,
        /// Only those for guests count.
        public: bool,
        /// The least right that counts.
        right: Right,
        /// The time.
        now: Millis,
    },
}

impl Filter {
    /// What nothing fulfils.
    pub const NEVER: Self = Self::Any(Vec::new());

    /// Whether an object fulfils it.
    #[must_use]
    pub fn holds(&self, what: &Object) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.holds(what)),
            Self::Any(filters) => filters.iter().any(|filter| filter.holds(what)),
            Self::Not(filter) => !filter.holds(what),
            Self::InSpaces(spaces) => spaces.contains(&what.space),
            Self::InGallery => what.space_kind == SpaceKind::Gallery,
            Self::Archived => what.archived,
            Self::Outsiders => what.outsiders,
            Self::Trashed => what.trashed,
            Self::CreatedBy(person) => what.creator == *person,
            Self::Links => what.links,
            Self::PublicLinks => what.public_links,
            Self::Granted { person, spaces, right, now } => what.grants.iter().any(|grant| {
                let is_theirs = match grant.to {
                    Grantee::Person(to) => to == *person,
                    Grantee::Space(to) => spaces.contains(&to),
                    Grantee::Link { .. } => false,
                };
                is_theirs && grant.gives(*right, *now)
            }),
            Self::Linked { links, public: wanted, right, now } => what.grants.iter().any(|grant| {
                let is_theirs = match grant.to {
                    Grantee::Link { id, public } => links.contains(&id) && public >= *wanted,
                    Grantee::Person(_) | Grantee::Space(_) => false,
                };
                is_theirs && grant.gives(*right, *now)
            }),
        }
    }
}

/// The condition that an object fulfils if and only if [`check`] gives the person at least `needed`.
#[must_use]
pub fn filter(who: &Subject, when: &Circumstances, needed: Right) -> Filter {
    let too_much = [
        needed > when.cap,
        when.is_old_session && needed > Right::Edit,
        when.is_read_only && needed > Right::Read,
    ];
    if too_much.contains(&true) {
        return Filter::NEVER;
    }
    let mut all = vec![
        may(who, when.now, needed),
        Filter::Any(vec![
            Filter::Not(Box::new(Filter::Trashed)),
            may(who, when.now, Right::Manage),
        ]),
    ];
    if needed > Right::Read {
        all.push(Filter::Not(Box::new(Filter::Archived)));
    }
    Filter::All(all)
}

/// That the person has at least this right, limits aside.
fn may(who: &Subject, now: Millis, right: Right) -> Filter {
    let made = Filter::All(vec![Filter::CreatedBy(who.person), stands(who, now, Right::Read)]);
    Filter::Any(vec![stands(who, now, right), linked(who, now, right), made])
}

/// That role, gallery or grants other than links give the person at least this right.
fn stands(who: &Subject, now: Millis, right: Right) -> Filter {
    let enough = who.roles.iter().filter(|(_, role)| role.right() >= right);
    let granted = Filter::Granted { person: who.person, spaces: spaces_of(who), right, now };
    let mut ways = vec![
        Filter::InSpaces(enough.map(|(space, _)| *space).collect()),
        Filter::All(vec![granted, grants_count(who)]),
    ];
    if right == Right::Read && !who.is_guest {
        ways.push(Filter::InGallery);
    }
    Filter::Any(ways)
}

/// That a link gives the person at least this right.
fn linked(who: &Subject, now: Millis, right: Right) -> Filter {
    if who.links.is_empty() {
        return Filter::NEVER;
    }
    let (links, public) = (who.links.iter().copied().collect(), who.is_guest);
    let mut all =
        vec![Filter::Linked { links, public, right, now }, Filter::Links, grants_count(who)];
    if public {
        all.push(Filter::PublicLinks);
    }
    Filter::All(all)
}

/// That what was granted counts for the person: not where grants are for members alone.
fn grants_count(who: &Subject) -> Filter {
    Filter::Any(vec![Filter::Outsiders, Filter::InGallery, Filter::InSpaces(spaces_of(who))])
}

fn spaces_of(who: &Subject) -> Vec<SpaceId> {
    who.roles.keys().copied().collect()
}

#[cfg(test)]
mod tests;

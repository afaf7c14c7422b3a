//! The names of things: rooms, people, clients, sessions; and the points in time and in a log.

use std::{fmt, str::FromStr};

/// A point in time by the server's clock, in milliseconds since 1970-01-01 UTC.
pub type Millis = u64;

/// The number of an entry in its room's log: 1, 2, 3, … without holes (L2). 0 is "before the first".
pub type Seq = u64;

/// Letters of Crockford's base32 in lower case: no i, l, o, u.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 128 bits at 5 bits a letter.
const TEXT_LEN: usize = 26;

/// The text was not 26 letters of lower-case Crockford base32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 26 letters of lower-case Crockford base32 expected")]
pub struct BadId;

macro_rules! id128 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// An id that sorts by the time it was made; `entropy` makes it unique.
            #[must_use]
            pub fn new(now: Millis, entropy: [u8; 10]) -> Self {
                let mut bytes = [0; 16];
                bytes[..6].copy_from_slice(&now.to_be_bytes()[2..]);
                bytes[6..].copy_from_slice(&entropy);
                Self(bytes)
            }

            /// The id with these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The id's bytes, as logs and frames carry them.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = BadId;
            fn try_from(bytes: &[u8]) -> Result<Self, BadId> {
                bytes.try_into().map(Self).map_err(|_| BadId)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&to_text(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                from_text(text).map(Self)
            }
        }
    };
}

id128!(
    /// A room, for ever. Rooms also may have a key, a name of their owner's choosing.
    RoomId
);
id128!(
    /// A person's account.
    PersonId
);

id128!(
    /// A space, in which rooms stand.
    SpaceId
);
id128!(
    /// A folder of a space.
    FolderId
);
id128!(
    /// A room's link, until it is renewed: the next one has another id.
    LinkId
);

fn to_text(bytes: &[u8; 16]) -> String {
    let value = u128::from_be_bytes(*bytes);
    (0..TEXT_LEN).rev().map(|i| LETTERS[(value >> (5 * i)) as usize & 31] as char).collect()
}

fn from_text(text: &str) -> Result<[u8; 16], BadId> {
    // The first letter holds the top 3 bits alone.
    if text.len() != TEXT_LEN || text.as_bytes()[0] > b'7' {
        return Err(BadId);
    }
    let mut value = 0_u128;
    for letter in text.bytes() {
        let digit = LETTERS.iter().position(|&l| l == letter).ok_or(BadId)?;
        value = value << 5 | digit as u128;
    }
    Ok(value.to_be_bytes())
}

/// One tab or program that makes operations, issued by the server; below 2^53, so that every
/// client's numbers hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

impl ClientId {
    /// Stands in entries that no such client made: the server's, and those of sessions that merge.
    pub const NONE: Self = Self(0);
}

/// One connection's attachment to rooms; unique for the life of a server process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

impl SessionId {
    /// Stands for callers that give an operation without following the room.
    pub const NONE: Self = Self(0);
}

/// What a person may do in a room; each right includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// See content and who is here.
    Read,
    /// And comment.
    Comment,
    /// And change the content.
    Edit,
    /// And rename, trash, and decide about others' rights.
    Manage,
}

impl Right {
    /// The name that the API and faults use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Comment => "comment",
            Self::Edit => "edit",
            Self::Manage => "manage",
        }
    }

    /// The right of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Read, Self::Comment, Self::Edit, Self::Manage].into_iter().find(|r| r.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_their_order_and_survive_text() {
        let early = RoomId::new(1, [255; 10]);
        let late = RoomId::new(2, [0; 10]);
        assert!(early < late);
        assert!(early.to_string() < late.to_string());
        assert_eq!(late.to_string().parse(), Ok(late));
        let top = RoomId::from_bytes([255; 16]);
        assert_eq!(top.to_string(), "7zzzzzzzzzzzzzzzzzzzzzzzzz");
        assert_eq!(top.to_string().parse(), Ok(top));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "0",
            "80000000000000000000000000",
            "0000000000000000000000000u",
            "é".repeat(13).as_str(),
        ] {
            assert_eq!(text.parse::<RoomId>(), Err(BadId), "{text}");
        }
    }
}

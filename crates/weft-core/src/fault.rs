//! What is said when something was refused or failed: a stable code and its parameters.

use std::{borrow::Cow, collections::BTreeMap, fmt};

/// Why an operation, an attachment or a frame was not served. `docs/protocol.md` lists the codes;
/// the words are the client's, in its person's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Stable name, such as `no_right`.
    pub code: Cow<'static, str>,
    /// What a message needs to be helpful, such as the limit that was met.
    pub params: BTreeMap<Cow<'static, str>, String>,
}

impl Fault {
    /// A fault without parameters.
    #[must_use]
    pub const fn new(code: &'static str) -> Self {
        Self { code: Cow::Borrowed(code), params: BTreeMap::new() }
    }

    /// The same fault with one more parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.params.insert(Cow::Borrowed(name), value.to_string());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        for (name, value) in &self.params {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}

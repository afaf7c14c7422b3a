//! The group order: an ordered kind. Everybody adds and takes away items of one list of lines;
//! the server's order decides who gets the last one, and the server computes every total.
//!
//! Changes are `+n` and `-n`, never "set to n", so that two people who press at once both count;
//! effects are absolute, so that a client's apply is assignment.
//!
//! Money is in minor units (cents, fen) and whole; so are quantities and stock.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    Fault, Millis, PersonId, Right,
    machine::{Author, Kind},
    planted,
};

/// Lines of one order.
pub const LINES_MAX: usize = 500;
/// Letters of a line's name.
pub const NAME_CHARS_MAX: usize = 100;
/// Price of one item, in minor units: a million of most currencies.
pub const PRICE_MINOR_MAX: u64 = 100_000_000;
/// Items of one line that are in stock, or that one person takes.
pub const COUNT_MAX: u32 = 10_000;
/// People who take part in one order.
pub const PEOPLE_MAX: usize = 1_000;

/// Names a line for ever: the seq of the entry that added it.
pub type LineId = u64;

/// What can be asked of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Put a line on the list.
    AddLine(Offer),
    /// Change a line; quantities taken stay, priced anew.
    EditLine(LineId, Offer),
    /// Take a line off the list, with all its quantities.
    RemoveLine(LineId),
    /// Take `delta` more of a line (or put back, if negative), for oneself.
    Adjust(LineId, i32),
    /// The list is complete: no more changes.
    Submit,
    /// Go back to taking changes.
    Reopen,
    /// For good.
    Close,
}

/// What a line offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What it is called.
    pub name: String,
    /// Price of one, in minor units.
    pub price_minor: u64,
    /// How many are left; `None`: unlimited.
    pub stock: Option<u32>,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    /// Takes changes.
    #[default]
    Open,
    /// Complete; can be re-opened.
    Submitted,
    /// Over.
    Closed,
}

impl Status {
    /// The name that faults use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Submitted => "submitted",
            Self::Closed => "closed",
        }
    }
}

/// Items and their price together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Total {
    /// How many items.
    pub items: u32,
    /// What they cost together, in minor units.
    pub minor: u64,
}

/// Absolute writes. What is empty or `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effect {
    /// These lines are now so.
    pub lines: Vec<(LineId, Offer)>,
    /// These lines are gone, with all their quantities.
    pub removed: Vec<LineId>,
    /// Of this line this person now has so many.
    pub quantities: Vec<(PersonId, LineId, u32)>,
    /// This person's items and their price are now so.
    pub totals: Vec<(PersonId, Total)>,
    /// All items and their price are now so.
    pub total: Option<Total>,
    /// The order now stands so, by whom and since when.
    pub status: Option<(Status, Option<PersonId>, Millis)>,
}

/// An order's state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    lines: BTreeMap<LineId, Offer>,
    quantities: BTreeMap<(PersonId, LineId), u32>,
    totals: BTreeMap<PersonId, Total>,
    total: Total,
    status: Status,
    status_by: Option<PersonId>,
    status_at: Millis,
}

/// Why an order refused an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reject {
    NoRight(Right),
    NotOpen(Status),
    WrongStatus(Status),
    UnknownLine,
    SoldOut { name: String, left: u32 },
    BelowZero,
    BadLine,
    TooMany(u64),
}

impl From<Reject> for Fault {
    fn from(reject: Reject) -> Self {
        match reject {
            Reject::NoRight(needed) => Self::new("no_right").with("needed", needed.name()),
            Reject::NotOpen(status) => Self::new("order.not_open").with("status", status.name()),
            Reject::WrongStatus(status) => {
                Self::new("order.wrong_status").with("status", status.name())
            }
            Reject::UnknownLine => Self::new("order.unknown_line"),
            Reject::SoldOut { name, left } => {
                Self::new("order.sold_out").with("name", name).with("left", left)
            }
            Reject::BelowZero => Self::new("order.below_zero"),
            Reject::BadLine => Self::new("order.bad_line").with("limit", NAME_CHARS_MAX),
            Reject::TooMany(limit) => Self::new("order.too_many").with("limit", limit),
        }
    }
}

impl Order {
    /// The name of this kind.
    pub const NAME: &'static str = "order";

    /// The order that these effects make, in which every part is written once.
    #[must_use]
    pub fn restore(parts: &Effect) -> Self {
        let mut order = Self::default();
        order.apply(parts);
        order
    }

    /// The whole state as one effect on an empty order: lines, then quantities and totals in order of
    /// person.
    #[must_use]
    pub fn parts(&self) -> Effect {
        Effect {
            lines: self.lines.iter().map(|(&id, offer)| (id, offer.clone())).collect(),
            removed: Vec::new(),
            quantities: self.quantities.iter().map(|(&(p, l), &n)| (p, l, n)).collect(),
            totals: self.totals.iter().map(|(&p, &t)| (p, t)).collect(),
            total: Some(self.total),
            status: Some((self.status, self.status_by, self.status_at)),
        }
    }

    fn taken(&self, person: PersonId, line: LineId) -> u32 {
        self.quantities.get(&(person, line)).copied().unwrap_or(0)
    }

    fn must_be_open(&self) -> Result<(), Reject> {
        if self.status == Status::Open { Ok(()) } else { Err(Reject::NotOpen(self.status)) }
    }

    fn decide_adjust(&self, line: LineId, delta: i32, by: &Author) -> Result<Effect, Reject> {
        self.must_be_open()?;
        let person = by.person.ok_or(Reject::NoRight(Right::Edit))?;
        let offer = self.lines.get(&line).ok_or(Reject::UnknownLine)?;
        let before = self.taken(person, line);
        let after = before.checked_add_signed(delta).ok_or(if delta < 0 {
            Reject::BelowZero
        } else {
            Reject::TooMany(COUNT_MAX.into())
        })?;
        let stock = match offer.stock {
            Some(left) if planted!(SellWhatIsNotThere) => Some(left.saturating_sub_signed(delta)),
            None => None,
            Some(left) => Some(
                u32::try_from(i64::from(left) - i64::from(delta))
                    .map_err(|_| Reject::SoldOut { name: offer.name.clone(), left })?,
            ),
        };
        if after > COUNT_MAX {
            return Err(Reject::TooMany(COUNT_MAX.into()));
        }
        if !self.totals.contains_key(&person) && self.totals.len() >= PEOPLE_MAX {
            return Err(Reject::TooMany(PEOPLE_MAX as u64));
        }
        let moved = |total: Total| Total {
            items: total.items.saturating_add_signed(delta),
            minor: total.minor.saturating_add_signed(i64::from(delta) * offer.price_minor as i64),
        };
        let mine = self.totals.get(&person).copied().unwrap_or_default();
        Ok(Effect {
            lines: offer
                .stock
                .map(|_| (line, Offer { stock, ..offer.clone() }))
                .into_iter()
                .collect(),
            quantities: vec![(person, line, after)],
            totals: vec![(person, moved(mine))],
            total: Some(moved(self.total)),
            ..Effect::default()
        })
    }

    /// The effect of a line that now costs `price` (or is gone: `None`) on everybody's totals.
    fn reprice(&self, line: LineId, price: Option<u64>) -> (Vec<(PersonId, Total)>, Total) {
        let old = self.lines[&line].price_minor;
        let mut all = self.total;
        let mut totals = Vec::new();
        for (&(person, l), &count) in &self.quantities {
            if l != line {
                continue;
            }
            let mut total = self.totals[&person];
            let gone = if price.is_none() { count } else { 0 };
            for t in [&mut total, &mut all] {
                t.items -= gone;
                t.minor -= old * u64::from(count);
                t.minor += price.unwrap_or(0) * u64::from(count);
            }
            totals.push((person, total));
        }
        (totals, all)
    }

    fn try_decide(&self, op: &Op, by: &Author) -> Result<Effect, Reject> {
        if by.right < Right::Edit {
            return Err(Reject::NoRight(Right::Edit));
        }
        match op {
            Op::AddLine(offer) => {
                self.must_be_open()?;
                if self.lines.len() >= LINES_MAX {
                    return Err(Reject::TooMany(LINES_MAX as u64));
                }
                Ok(Effect { lines: vec![(by.seq, sound(offer)?)], ..Effect::default() })
            }
            Op::EditLine(line, offer) => {
                self.must_be_open()?;
                let before = self.lines.get(line).ok_or(Reject::UnknownLine)?;
                let offer = sound(offer)?;
                if before.price_minor == offer.price_minor {
                    return Ok(Effect { lines: vec![(*line, offer)], ..Effect::default() });
                }
                let (totals, total) = self.reprice(*line, Some(offer.price_minor));
                let lines = vec![(*line, offer)];
                Ok(Effect { lines, totals, total: Some(total), ..Effect::default() })
            }
            Op::RemoveLine(line) => {
                self.must_be_open()?;
                if !self.lines.contains_key(line) {
                    return Err(Reject::UnknownLine);
                }
                let (totals, total) = self.reprice(*line, None);
                let removed = vec![*line];
                Ok(Effect { removed, totals, total: Some(total), ..Effect::default() })
            }
            Op::Adjust(line, delta) => self.decide_adjust(*line, *delta, by),
            Op::Submit => self.step(Status::Submitted, self.status == Status::Open, by),
            Op::Reopen => {
                must_manage(by)?;
                self.step(Status::Open, self.status == Status::Submitted, by)
            }
            Op::Close => {
                must_manage(by)?;
                self.step(Status::Closed, self.status != Status::Closed, by)
            }
        }
    }

    fn step(&self, to: Status, follows: bool, by: &Author) -> Result<Effect, Reject> {
        if !follows {
            return Err(Reject::WrongStatus(self.status));
        }
        Ok(Effect { status: Some((to, by.person, by.at)), ..Effect::default() })
    }
}

fn must_manage(by: &Author) -> Result<(), Reject> {
    if by.right < Right::Manage { Err(Reject::NoRight(Right::Manage)) } else { Ok(()) }
}

/// The offer with its name trimmed, if it is within bounds.
fn sound(offer: &Offer) -> Result<Offer, Reject> {
    let name = offer.name.trim();
    let chars = name.chars().count();
    let fits = (1..=NAME_CHARS_MAX).contains(&chars)
        && !name.chars().any(char::is_control)
        && offer.price_minor <= PRICE_MINOR_MAX
        && offer.stock.is_none_or(|stock| stock <= COUNT_MAX);
    if fits { Ok(Offer { name: name.to_owned(), ..offer.clone() }) } else { Err(Reject::BadLine) }
}

impl Kind for Order {
    type Op = Op;
    type Effect = Effect;

    fn decide(&self, op: &Op, by: &Author) -> Result<Effect, Fault> {
        self.try_decide(op, by).map_err(Fault::from)
    }

    fn apply(&mut self, effect: &Effect) {
        for (line, offer) in &effect.lines {
            self.lines.insert(*line, offer.clone());
        }
        for line in &effect.removed {
            self.lines.remove(line);
            self.quantities.retain(|(_, l), _| l != line);
        }
        for &(person, line, count) in &effect.quantities {
            if count == 0 {
                self.quantities.remove(&(person, line));
            } else {
                self.quantities.insert((person, line), count);
            }
        }
        for &(person, total) in &effect.totals {
            if total.items == 0 {
                self.totals.remove(&person);
            } else {
                self.totals.insert(person, total);
            }
        }
        if let Some(total) = effect.total {
            self.total = total;
        }
        if let Some((status, by, at)) = effect.status {
            (self.status, self.status_by, self.status_at) = (status, by, at);
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for offer in self.lines.values() {
            let (whole, part) = (offer.price_minor / 100, offer.price_minor % 100);
            let _ = writeln!(text, "{} {whole}.{part:02}", offer.name);
        }
        text.truncate(text.trim_end().len());
        text
    }
}

#[cfg(test)]
mod tests;

//! The checker that walks a foreign Yjs update (format v1) before any library decodes it (L10).
//!
//! It answers five questions without recursion and without allocating more than the bytes can
//! pay for: is the shape right, does everything that it refers to exist (in the document or in
//! the update itself, in an order that can be integrated), how far does each client's clock
//! go afterwards, how deep do types nest in types, and is each struct where a Yjs client could put it. What
//! passes leaves no pending structs behind, and nothing so deep that a library which deletes it recursively
//! would run out of stack.
//!
//! Start at [`check`]. The format: `encoding.js` and `UpdateDecoder.js` of yjs 13.6.

use std::collections::{BTreeMap, VecDeque};

use super::levels::{Home, Level, Levels, Standing};
use crate::planted;

/// How deep arrays and objects may nest in a value.
const DEPTH_MAX: usize = 100;
/// How deep types may nest in types: 100 lists in lists take 300. Libraries delete them recursively.
const LEVEL_MAX: Level = 500;
/// Clocks and lengths stay below this, so that sums of two fit every implementation.
const CLOCK_MAX: u64 = 1 << 31;
/// Yjs client ids are numbers that JavaScript holds exactly.
const CLIENT_MAX: u64 = 1 << 53;

/// How much of each Yjs client is known: all clocks below the number.
pub type Clocks = BTreeMap<u64, u32>;

/// What a document has, as far as the checker needs to know, or what an update adds to that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// How much of each client.
    pub clocks: Clocks,
    levels: Levels,
    /// Whether the update has structs of which a part is known. What it says of their place may be
    /// something else than what is known, and then each library makes something else of it.
    pub overlaps: bool,
    /// Whether the update puts something where no Yjs client would: what comes of that depends on the
    /// order in which structs are learned, so that replicas which load the document have another one.
    pub misplaced: bool,
}

impl Known {
    /// An update that was checked against this has been applied.
    pub(super) fn extend(&mut self, news: Self) {
        self.clocks.extend(news.clocks);
        self.levels.extend(news.levels);
    }
}

/// What is wrong with an update.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Not an update, or one that no Yjs client would write.
    #[error("malformed at byte {at}: {what}")]
    Malformed {
        /// Offset in bytes.
        at: usize,
        /// What is not right there.
        what: &'static str,
    },
    /// It builds on what the document does not have.
    #[error("client {client} is known up to {known} only")]
    Missing {
        /// The Yjs client whose structs are missing.
        client: u64,
        /// The clock up to which they are there.
        known: u32,
    },
}

/// Walks an update that is to be applied to a document that has `known`.
/// Returns what it adds: the clocks that it raises, with their new values, and their levels.
///
/// # Errors
/// A [`Flaw`]; the document must not see these bytes.
pub fn check(update: &[u8], known: &Known) -> Result<Known, Flaw> {
    let mut reader = Reader { bytes: update, at: 0 };
    let runs = structs(&mut reader)?;
    let deletes = delete_set(&mut reader)?;
    if reader.at != update.len() {
        return Err(reader.flaw("bytes after the end"));
    }
    let mut news = integrate(runs, known, &deletes)?;
    for (client, ranges) in deletes {
        let reached = reached(client, &known.clocks, &news.clocks);
        let is_ahead = ranges.last().is_some_and(|&(_, end)| end > reached);
        if is_ahead && !planted!(SkipPredecessors) {
            return Err(Flaw::Missing { client, known: reached });
        }
        let splits = |clock| clock < reached && within_whole(client, clock, known, &news);
        news.misplaced |= ranges.iter().any(|&(start, end)| splits(start) || splits(end));
    }
    Ok(news)
}

/// Walks a foreign Yjs state vector (v1) and returns it.
///
/// # Errors
/// [`Flaw::Malformed`].
pub fn check_state_vector(bytes: &[u8]) -> Result<Clocks, Flaw> {
    let mut reader = Reader { bytes, at: 0 };
    let mut clocks = Clocks::new();
    for _ in 0..reader.count("clients")? {
        let (client, clock) = reader.id()?;
        clocks.insert(client, clock);
    }
    if reader.at == bytes.len() { Ok(clocks) } else { Err(reader.flaw("bytes after the end")) }
}

/// Where the structs of each client begin in an update that was checked, or is about to be.
///
/// # Errors
/// [`Flaw::Malformed`].
pub fn begins(update: &[u8]) -> Result<Clocks, Flaw> {
    let runs = structs(&mut Reader { bytes: update, at: 0 })?;
    let runs = runs.into_iter().filter(|(_, run)| !run.structs.is_empty());
    Ok(runs.map(|(client, run)| (client, run.start)).collect())
}

fn reached(client: u64, known: &Clocks, raised: &Clocks) -> u32 {
    raised.get(&client).or_else(|| known.get(&client)).copied().unwrap_or(0)
}

/// What must be there before a struct: by client and clock.
type Needs = [Option<(u64, u32)>; 3];

/// Where a struct is.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Nowhere any more.
    Gone,
    /// In a root.
    Root(Home),
    /// In this type.
    In(u64, u32, Home),
    /// Beside what it needs.
    Beside,
}

/// One struct: the clocks it spans, what must be there before it, and where it is.
struct Struct {
    start: u32,
    end: u32,
    needs: Needs,
    place: Place,
    /// Where it begins in the update.
    at: usize,
    /// What an item contains; `None` for what is no item.
    kind: Option<u8>,
}

/// The structs of one client, in order, and where they begin.
struct Run {
    start: u32,
    structs: VecDeque<Struct>,
}

fn structs(reader: &mut Reader<'_>) -> Result<BTreeMap<u64, Run>, Flaw> {
    let mut runs = BTreeMap::new();
    for _ in 0..reader.count("clients")? {
        let count = reader.count("structs")?;
        let client = reader.client()?;
        let start = reader.clock()?;
        let mut run = Run { start, structs: VecDeque::new() };
        let mut clock = start;
        for _ in 0..count {
            let next = one_struct(reader, client, clock)?;
            clock = next.end;
            run.structs.push_back(next);
        }
        if runs.insert(client, run).is_some() {
            return Err(reader.flaw("a client twice"));
        }
    }
    Ok(runs)
}

const HAS_ORIGIN: u8 = 0x80;
const HAS_RIGHT_ORIGIN: u8 = 0x40;
const HAS_PARENT_SUB: u8 = 0x20;

fn one_struct(reader: &mut Reader<'_>, client: u64, clock: u32) -> Result<Struct, Flaw> {
    let at = reader.at;
    let info = reader.byte()?;
    let (mut needs, mut place, mut kind) = ([None; 3], Place::Gone, None);
    let len = match info {
        0 => reader.length()?,
        // A gap: something before is missing by the sender's own account, unless we have it.
        10 => {
            let len = reader.length()?;
            let last = clock.checked_add(len - 1).ok_or_else(|| reader.flaw("clock too large"))?;
            needs[0] = Some((client, last));
            len
        }
        _ => {
            if info & HAS_ORIGIN != 0 {
                needs[0] = Some(reader.id()?);
            }
            if info & HAS_RIGHT_ORIGIN != 0 {
                needs[1] = Some(reader.id()?);
            }
            if info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN) == 0 {
                let parent_at = reader.at;
                let parent = match reader.number()? {
                    1 => reader.text().map(|_| None)?,
                    0 => Some(reader.id()?),
                    _ => return Err(reader.flaw("parent")),
                };
                let keyed = info & HAS_PARENT_SUB != 0;
                if keyed {
                    reader.text()?;
                }
                let home = Home::of(&reader.bytes[parent_at..reader.at], keyed);
                needs[2] = parent;
                place = parent
                    .map_or(Place::Root(home), |(client, clock)| Place::In(client, clock, home));
            } else {
                place = Place::Beside;
            }
            kind = Some(info & 0x1f);
            content(reader, info & 0x1f)?
        }
    };
    let end = clock
        .checked_add(len)
        .filter(|&end| u64::from(end) < CLOCK_MAX)
        .ok_or_else(|| reader.flaw("clock too large"))?;
    Ok(Struct { start: clock, end, needs, place, at, kind })
}

/// What was deleted, and types: the contents that others can be in.
const DELETED: u8 = 1;
const TYPE: u8 = 7;
/// What is only found among characters.
const EMBED: u8 = 5;
const FORMAT: u8 = 6;

/// Walks an item's content and returns its length in clocks.
fn content(reader: &mut Reader<'_>, kind: u8) -> Result<u32, Flaw> {
    match kind {
        DELETED => reader.length(),
        3 => reader.blob().map(|()| 1),
        4 => {
            let units = reader.text()?.encode_utf16().count();
            u32::try_from(units).ok().filter(|&n| n > 0).ok_or_else(|| reader.flaw("empty text"))
        }
        EMBED => json(reader).map(|()| 1),
        FORMAT => {
            reader.text()?;
            json(reader).map(|()| 1)
        }
        TYPE => {
            match reader.byte()? {
                0 | 1 | 2 | 4 | 6 => {}
                3 => drop(reader.text()?), // an XML element has a name
                // 5, an XML hook, has one too, which the library does not read: what follows would
                // be something else to it than to this checker. No editor makes them any more.
                _ => return Err(reader.flaw("unknown type")),
            }
            Ok(1)
        }
        8 => {
            let len = reader.length()?;
            for _ in 0..len {
                any(reader)?;
            }
            Ok(len)
        }
        9 => {
            reader.text()?; // a subdocument: its id and options
            any(reader).map(|()| 1)
        }
        // 2 (JSON) has not been written by Yjs since version 13, and is read in two ways.
        _ => Err(reader.flaw("unknown content")),
    }
}

/// A value in lib0's own format.
fn any(reader: &mut Reader<'_>) -> Result<(), Flaw> {
    // How many values, and whether with keys, are left at each level.
    let mut open: Vec<(usize, bool)> = vec![(1, false)];
    while let Some((left, keyed)) = open.last_mut() {
        if *left == 0 {
            open.pop();
            continue;
        }
        *left -= 1;
        if *keyed {
            reader.text()?;
        }
        match reader.byte()? {
            127 | 126 | 121 | 120 => {}
            125 => drop(reader.signed()?),
            124 => drop(reader.take(4)?),
            123 | 122 => drop(reader.take(8)?),
            119 => drop(reader.text()?),
            116 => reader.blob()?,
            tag @ (117 | 118) => {
                let count = reader.count("values")?;
                if open.len() >= DEPTH_MAX {
                    return Err(reader.flaw("nested too deeply"));
                }
                open.push((count, tag == 118));
            }
            _ => return Err(reader.flaw("unknown value")),
        }
    }
    Ok(())
}

/// A value as JSON text. Its nesting first: the library reads it recursively.
fn json(reader: &mut Reader<'_>) -> Result<(), Flaw> {
    let text = reader.text()?;
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(reader.flaw("nested too deeply"));
        }
    }
    yrs::Any::from_json(text).map(drop).map_err(|_| reader.flaw("no JSON"))
}

/// What is deleted: for each client its ranges, ascending, those that touch as one.
type Deletes = BTreeMap<u64, Vec<(u32, u32)>>;

fn delete_set(reader: &mut Reader<'_>) -> Result<Deletes, Flaw> {
    let mut deletes = Deletes::new();
    for _ in 0..reader.count("clients")? {
        let client = reader.client()?;
        let mut ranges = Vec::new();
        for _ in 0..reader.count("ranges")? {
            let start = reader.clock()?;
            let len = reader.length()?;
            let end = start
                .checked_add(len)
                .filter(|&end| u64::from(end) < CLOCK_MAX)
                .ok_or_else(|| reader.flaw("clock too large"))?;
            ranges.push((start, end));
        }
        if deletes.insert(client, joined(ranges)).is_some() {
            return Err(reader.flaw("a client twice"));
        }
    }
    Ok(deletes)
}

/// Ranges in ascending order, those that touch or overlap as one.
pub(super) fn joined(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    ranges.dedup_by(|next, last| {
        let touches = next.0 <= last.1;
        if touches {
            last.1 = last.1.max(next.1);
        }
        touches
    });
    ranges
}

/// Walks the structs in an order in which each finds what it needs, and returns how far the
/// clocks get. Each struct is looked at once, and once more each time that it had to wait.
fn integrate(
    mut runs: BTreeMap<u64, Run>,
    known: &Known,
    deletes: &Deletes,
) -> Result<Known, Flaw> {
    let mut news = Known::default();
    // For a client that others wait for: who waits.
    let mut waiting: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut ready: Vec<u64> = runs.keys().copied().collect();
    let mut first_missing = None;
    for (&client, run) in &runs {
        let have = reached(client, &known.clocks, &news.clocks);
        if run.start > have && !planted!(SkipPredecessors) {
            return Err(Flaw::Missing { client, known: have });
        }
    }
    while let Some(client) = ready.pop() {
        let Some(run) = runs.get_mut(&client) else { continue };
        let before = reached(client, &known.clocks, &news.clocks);
        while let Some(next) = run.structs.front() {
            let have = reached(client, &known.clocks, &news.clocks);
            if next.end > have {
                let lacking = next
                    .needs
                    .iter()
                    .flatten()
                    .find(|(c, clock)| *clock >= reached(*c, &known.clocks, &news.clocks));
                if let Some(&(on, _)) = lacking {
                    let reached = reached(on, &known.clocks, &news.clocks);
                    first_missing = Some(Flaw::Missing { client: on, known: reached });
                    waiting.entry(on).or_default().push(client);
                    break;
                }
                let malformed = |what| Flaw::Malformed { at: next.at, what };
                let (standing, fits) = standing(next, client, have, known, &news, deletes)
                    .ok_or_else(|| malformed("parent is no type"))?;
                if next.kind == Some(TYPE) && standing.level >= LEVEL_MAX {
                    return Err(malformed("types nested too deeply"));
                }
                news.overlaps |= next.start < have;
                news.misplaced |= !fits;
                news.levels.push(client, have, standing);
                news.clocks.insert(client, next.end);
            }
            run.structs.pop_front();
        }
        if reached(client, &known.clocks, &news.clocks) > before
            && let Some(woken) = waiting.remove(&client)
        {
            ready.extend(woken);
        }
        if runs.get(&client).is_some_and(|run| run.structs.is_empty()) {
            runs.remove(&client);
        }
    }
    match first_missing {
        Some(flaw) if !runs.is_empty() => Err(flaw),
        _ => Ok(news),
    }
}

/// Where a struct stands of which what comes before `have` is known, and whether a Yjs client could have
/// put it there; `None` if it would be in something that holds nothing. Libraries look for its parent in
/// several ways, so its level is the deepest that any of them can find.
fn standing(
    next: &Struct,
    client: u64,
    have: u32,
    known: &Known,
    news: &Known,
    deletes: &Deletes,
) -> Option<(Standing, bool)> {
    let at = |(client, clock)| run_at(client, clock, known, news).unwrap_or_default().1;
    // The rest of what is known in part is beside that part.
    let rest = (next.start < have).then(|| (client, have - 1));
    let [left, right, _] = next.needs;
    let left = rest.or(left);
    let declared = match next.place {
        Place::Gone | Place::Root(_) => 0,
        Place::In(client, clock, _) => {
            let parent = at((client, clock));
            parent.holds.then_some(parent.level.saturating_add(1))?
        }
        Place::Beside => next.needs.into_iter().flatten().map(|id| at(id).level).max().unwrap_or(0),
    };
    let level = rest.map_or(declared, |id| declared.max(at(id).level));
    let (left_home, right_home) = (left.map(|id| at(id).home), right.map(|id| at(id).home));
    let home = match next.place {
        Place::Gone => Home::GONE,
        Place::Root(home) | Place::In(_, _, home) if rest.is_none() => home,
        _ if right_home == Some(Home::GONE) => Home::GONE,
        _ => left_home.or(right_home).unwrap_or(Home::GONE),
    };
    // The values of one key stand in a row, of which the last one counts. Each follows the one that
    // it replaces, at its end, and precedes none.
    let fits = if home.is_keyed() {
        let splits_left = left.is_some_and(|(client, clock)| {
            clock + 1 < reached(client, &known.clocks, &news.clocks)
                && within_whole(client, clock + 1, known, news)
        });
        right.is_none() && !splits_left && !matches!(next.kind, Some(EMBED | FORMAT))
    } else {
        home == Home::GONE || left.is_none() || right.is_none() || left_home == right_home
    };
    // Several replaced values come as one struct from those who keep what is deleted; that may be split.
    let whole = home.is_keyed()
        && next.end - have > 1
        && next.kind != Some(DELETED)
        && !deletes.get(&client).is_some_and(|ranges| {
            let after = ranges.partition_point(|&(start, _)| start <= have);
            ranges[..after].last().is_some_and(|&(_, end)| next.end <= end)
        });
    let holds = matches!(next.kind, None | Some(DELETED | TYPE));
    Some((Standing { level, holds, whole, home }, fits))
}

/// What is known of a struct, and where the run begins in which that holds.
fn run_at(client: u64, clock: u32, known: &Known, news: &Known) -> Option<(u32, Standing)> {
    news.levels.at(client, clock).or_else(|| known.levels.at(client, clock))
}

/// Whether this is in a struct that nobody may split, and not its beginning.
fn within_whole(client: u64, clock: u32, known: &Known, news: &Known) -> bool {
    run_at(client, clock, known, news)
        .is_some_and(|(from, standing)| standing.whole && from < clock)
}

/// Reads lib0's variable-length numbers and strings, never past the end.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn flaw(&self, what: &'static str) -> Flaw {
        Flaw::Malformed { at: self.at, what }
    }

    fn byte(&mut self) -> Result<u8, Flaw> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| self.flaw("cut off"))?;
        self.at += 1;
        Ok(byte)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Flaw> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..len).ok_or_else(|| self.flaw("cut off"))?;
        self.at += len;
        Ok(taken)
    }

    /// An unsigned number below 2^53.
    fn number(&mut self) -> Result<u64, Flaw> {
        let mut value = 0_u64;
        for shift in (0..56).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return if value < CLIENT_MAX {
                    Ok(value)
                } else {
                    Err(self.flaw("number too large"))
                };
            }
        }
        Err(self.flaw("number too long"))
    }

    /// A signed number, whose value does not matter here.
    fn signed(&mut self) -> Result<(), Flaw> {
        for _ in 0..10 {
            if self.byte()? < 0x80 {
                return Ok(());
            }
        }
        Err(self.flaw("number too long"))
    }

    /// How many things follow; each takes a byte at least.
    fn count(&mut self, what: &'static str) -> Result<usize, Flaw> {
        let count = self.number()?;
        let left = (self.bytes.len() - self.at) as u64;
        if count > left { Err(self.flaw(what)) } else { Ok(count as usize) }
    }

    fn client(&mut self) -> Result<u64, Flaw> {
        self.number()
    }

    fn clock(&mut self) -> Result<u32, Flaw> {
        match self.number()? {
            clock if clock < CLOCK_MAX => Ok(clock as u32),
            _ => Err(self.flaw("clock too large")),
        }
    }

    fn length(&mut self) -> Result<u32, Flaw> {
        match self.clock()? {
            0 => Err(self.flaw("empty")),
            len => Ok(len),
        }
    }

    fn id(&mut self) -> Result<(u64, u32), Flaw> {
        Ok((self.client()?, self.clock()?))
    }

    fn blob(&mut self) -> Result<(), Flaw> {
        let len = self.count("buffer")?;
        self.take(len).map(drop)
    }

    fn text(&mut self) -> Result<&'a str, Flaw> {
        let len = self.count("text")?;
        let bytes = self.take(len)?;
        std::str::from_utf8(bytes).map_err(|_| self.flaw("not UTF-8"))
    }
}

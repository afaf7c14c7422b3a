//! The checker that walks a foreign Yjs update (format v1) before any library decodes it (L10).
//!
//! It answers three questions without recursion and without allocating more than the bytes can
//! pay for: is the shape right, does everything that it refers to exist (in the document or in
//! the update itself, in an order that can be integrated), and how far does each client's clock
//! go afterwards. What passes leaves no pending structs behind.
//!
//! Start at [`check`]. The format: `encoding.js` and `UpdateDecoder.js` of yjs 13.6.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How deep arrays and objects may nest in a value.
const DEPTH_MAX: usize = 100;
/// Clocks and lengths stay below this, so that sums of two fit every implementation.
const CLOCK_MAX: u64 = 1 << 31;
/// Yjs client ids are numbers that JavaScript holds exactly.
const CLIENT_MAX: u64 = 1 << 53;

/// How much of each Yjs client is known: all clocks below the number.
pub type Clocks = BTreeMap<u64, u32>;

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

/// Walks an update that is to be applied to a document that knows `known`.
/// Returns the clocks that it raises, with their new values.
///
/// # Errors
/// A [`Flaw`]; the document must not see these bytes.
pub fn check(update: &[u8], known: &Clocks) -> Result<Clocks, Flaw> {
    let mut reader = Reader { bytes: update, at: 0 };
    let runs = structs(&mut reader)?;
    let deletes = delete_set(&mut reader)?;
    if reader.at != update.len() {
        return Err(reader.flaw("bytes after the end"));
    }
    let raised = integrate(runs, known)?;
    for (client, end) in deletes {
        let reached = reached(client, known, &raised);
        if end > reached {
            return Err(Flaw::Missing { client, known: reached });
        }
    }
    Ok(raised)
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

fn reached(client: u64, known: &Clocks, raised: &Clocks) -> u32 {
    raised.get(&client).or_else(|| known.get(&client)).copied().unwrap_or(0)
}

/// What must be there before a struct: by client and clock.
type Needs = [Option<(u64, u32)>; 3];

/// One struct: the clocks it spans, and what must be there before it.
struct Struct {
    end: u32,
    needs: Needs,
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
            let (len, needs) = one_struct(reader, client, clock)?;
            clock = clock
                .checked_add(len)
                .filter(|&c| u64::from(c) < CLOCK_MAX)
                .ok_or_else(|| reader.flaw("clock too large"))?;
            run.structs.push_back(Struct { end: clock, needs });
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

fn one_struct(reader: &mut Reader<'_>, client: u64, clock: u32) -> Result<(u32, Needs), Flaw> {
    let info = reader.byte()?;
    match info {
        0 => Ok((reader.length()?, [None; 3])),
        // A gap: something before is missing by the sender's own account, unless we have it.
        10 => {
            let len = reader.length()?;
            let last = clock.checked_add(len - 1).ok_or_else(|| reader.flaw("clock too large"))?;
            Ok((len, [Some((client, last)), None, None]))
        }
        _ => {
            let mut needs = [None; 3];
            if info & HAS_ORIGIN != 0 {
                needs[0] = Some(reader.id()?);
            }
            if info & HAS_RIGHT_ORIGIN != 0 {
                needs[1] = Some(reader.id()?);
            }
            if info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN) == 0 {
                match reader.number()? {
                    1 => drop(reader.text()?),
                    0 => needs[2] = Some(reader.id()?),
                    _ => return Err(reader.flaw("parent")),
                }
                if info & HAS_PARENT_SUB != 0 {
                    reader.text()?;
                }
            }
            Ok((content(reader, info & 0x1f)?, needs))
        }
    }
}

/// Walks an item's content and returns its length in clocks.
fn content(reader: &mut Reader<'_>, kind: u8) -> Result<u32, Flaw> {
    match kind {
        1 => reader.length(), // deleted
        3 => reader.blob().map(|()| 1),
        4 => {
            let units = reader.text()?.encode_utf16().count();
            u32::try_from(units).ok().filter(|&n| n > 0).ok_or_else(|| reader.flaw("empty text"))
        }
        5 => json(reader).map(|()| 1), // embed
        6 => {
            reader.text()?; // format
            json(reader).map(|()| 1)
        }
        7 => {
            match reader.byte()? {
                0 | 1 | 2 | 4 | 6 => {}
                3 | 5 => drop(reader.text()?), // an XML element or hook has a name
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

/// A value as JSON text. Only its nesting is looked at here: a library reads it recursively.
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
    Ok(())
}

/// The deletions: for each client, the end of the last range.
fn delete_set(reader: &mut Reader<'_>) -> Result<Vec<(u64, u32)>, Flaw> {
    let mut ends = Vec::new();
    let mut seen = BTreeSet::new();
    for _ in 0..reader.count("clients")? {
        let client = reader.client()?;
        if !seen.insert(client) {
            return Err(reader.flaw("a client twice"));
        }
        let mut last = 0;
        for _ in 0..reader.count("ranges")? {
            let start = reader.clock()?;
            let len = reader.length()?;
            let end = start
                .checked_add(len)
                .filter(|&end| u64::from(end) < CLOCK_MAX)
                .ok_or_else(|| reader.flaw("clock too large"))?;
            last = last.max(end);
        }
        ends.push((client, last));
    }
    Ok(ends)
}

/// Walks the structs in an order in which each finds what it needs, and returns how far the
/// clocks get. Each struct is looked at once, and once more each time that it had to wait.
fn integrate(mut runs: BTreeMap<u64, Run>, known: &Clocks) -> Result<Clocks, Flaw> {
    let mut raised = Clocks::new();
    // For a client that others wait for: who waits.
    let mut waiting: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut ready: Vec<u64> = runs.keys().copied().collect();
    let mut first_missing = None;
    for (&client, run) in &runs {
        let have = reached(client, known, &raised);
        if run.start > have {
            return Err(Flaw::Missing { client, known: have });
        }
    }
    while let Some(client) = ready.pop() {
        let Some(run) = runs.get_mut(&client) else { continue };
        let before = reached(client, known, &raised);
        while let Some(next) = run.structs.front() {
            let have = reached(client, known, &raised);
            if next.end > have {
                let lacking = next
                    .needs
                    .iter()
                    .flatten()
                    .find(|(c, clock)| *clock >= reached(*c, known, &raised));
                if let Some(&(on, _)) = lacking {
                    first_missing =
                        Some(Flaw::Missing { client: on, known: reached(on, known, &raised) });
                    waiting.entry(on).or_default().push(client);
                    break;
                }
                raised.insert(client, next.end);
            }
            run.structs.pop_front();
        }
        if reached(client, known, &raised) > before
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
        _ => Ok(raised),
    }
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

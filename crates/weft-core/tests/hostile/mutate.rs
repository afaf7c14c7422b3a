//! Recorded updates, and what becomes of bytes in the hands of someone who means harm. Seeded: the same
//! seed gives the same bytes. Depends on nothing, so that the tests of other crates can include it.

/// Random numbers (SplitMix64), the same for the same seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// The documents of `seeds.txt`: each a list of updates that build on one another.
pub fn recorded() -> Vec<Vec<Vec<u8>>> {
    let lines = include_str!("seeds.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split(' ').skip(1).map(unhex).collect()).collect()
}

pub fn unhex(text: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
    (0..text.len()).step_by(2).map(digits).collect()
}

/// The bytes after one to four changes; `other` is where foreign parts come from.
pub fn mutated(dice: &mut Dice, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=dice.below(4) {
        mutate(dice, &mut bytes, other);
    }
    bytes
}

fn mutate(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = dice.below(bytes.len());
    let len = dice.below(8) + 1;
    let end = (at + len).min(bytes.len());
    match dice.below(12) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        1 if at < bytes.len() => bytes[at] = *dice.pick(&[0, 1, 2, 7, 10, 0x27, 0x7f, 0x80, 0xff]),
        // Lengths, clocks and kinds that are a little off.
        2 | 3 if at < bytes.len() => {
            bytes[at] =
                bytes[at].wrapping_add(*dice.pick(&[1, 2, 3, 0xff, 0xfe, 0x20, 0x40, 0x80]));
        }
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(at..end)),
        6 => {
            let section = bytes[at..end].to_vec();
            bytes.splice(end..end, section);
        }
        7 => {
            let from = dice.below(other.len());
            let section = &other[from..(from + len).min(other.len())];
            bytes.splice(at..end, section.iter().copied());
        }
        // The head of one, the tail of another.
        8 => {
            bytes.truncate(at);
            bytes.extend_from_slice(&other[dice.below(other.len())..]);
        }
        9 => {
            let large: [&[u8]; 5] = [
                &[0xff, 0xff, 0xff, 0xff, 0x07],
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
                &[0xff; 12],
                &[0x80, 0x80, 0x80, 0x80, 0x08],
                &[0xff, 0x7f],
            ];
            let large = *dice.pick(&large);
            bytes.splice(at..(at + 1).min(bytes.len()), large.iter().copied());
        }
        10 => {
            let nested: [&[u8]; 4] = [&[117, 1], &[118, 1, 1, b'k'], b"[", b"{\"a\":"];
            let nested = dice.pick(&nested).repeat(1 << dice.below(12));
            bytes.splice(at..at, nested);
        }
        _ => bytes.insert(at, dice.next() as u8),
    }
}

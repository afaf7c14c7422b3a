//! An order, as what was put on it and who took what.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use weft_core::{Entry, PersonId, Seq};
use weft_proto::order_wire::{self as wire, order_op::Op};

use super::{Held, Oracle};
use crate::judge::Broken;

/// See the module's documentation.
#[derive(Default)]
pub struct Asked {
    lines: BTreeMap<Seq, wire::Line>,
    taken: BTreeMap<(PersonId, Seq), i64>,
    status: i32,
}

impl Oracle for Asked {
    fn accept(&mut self, entry: &Entry, op: &Bytes) -> Held {
        let seq = entry.seq;
        let wrong = |why: &str| Err(Broken(format!("entry {seq} should have been refused: {why}")));
        let Some(person) = entry.person else { return wrong("nobody asked") };
        let op = wire::OrderOp::decode(op.clone()).ok().and_then(|op| op.op);
        let Some(op) = op else { return wrong("no operation") };
        let open = wire::Status::Open as i32;
        match op {
            Op::Submit(_) if self.status != open => return wrong("submitted already"),
            Op::Submit(_) => self.status = wire::Status::Submitted as i32,
            Op::Reopen(_) if self.status != wire::Status::Submitted as i32 => {
                return wrong("not submitted");
            }
            Op::Reopen(_) => self.status = open,
            Op::Close(_) => self.status = wire::Status::Closed as i32,
            _ if self.status != open => return wrong("not open"),
            Op::AddLine(wire::AddLine { name, price_minor, stock }) => {
                if self
                    .lines
                    .insert(seq, wire::Line { id: seq, name, price_minor, stock })
                    .is_some()
                {
                    return wrong("the line is there");
                }
            }
            Op::EditLine(wire::EditLine { line, name, price_minor, stock }) => {
                let edited = wire::Line { id: line, name, price_minor, stock };
                if self.lines.insert(line, edited).is_none() {
                    return wrong("no such line");
                }
            }
            Op::RemoveLine(wire::RemoveLine { line }) => {
                if self.lines.remove(&line).is_none() {
                    return wrong("no such line");
                }
                self.taken.retain(|(_, taken), _| *taken != line);
            }
            Op::Adjust(wire::Adjust { line, delta }) => {
                let Some(offer) = self.lines.get_mut(&line) else { return wrong("no such line") };
                if let Some(stock) = &mut offer.stock {
                    if i64::from(*stock) < i64::from(delta) {
                        return wrong("sold out");
                    }
                    *stock = stock.saturating_add_signed(-delta);
                }
                let taken = self.taken.entry((person, line)).or_default();
                *taken += i64::from(delta);
                if *taken < 0 {
                    return wrong("more given back than taken");
                }
            }
        }
        Ok(())
    }

    /// What is right to refuse depends on what else was decided, and leaves no trace to hold it against.
    fn refuse(&self, _: &Bytes, _: &str) -> Held {
        Ok(())
    }

    fn compare(&self, state: &Bytes) -> Held {
        let state = wire::OrderState::decode(state.clone()).map_err(|e| Broken(e.to_string()))?;
        let lines: Vec<wire::Line> = self.lines.values().cloned().collect();
        let taken = self.taken.iter().filter(|(_, count)| **count > 0);
        let quantities: Vec<wire::Quantity> = taken
            .clone()
            .map(|((person, line), count)| wire::Quantity {
                person_id: Bytes::copy_from_slice(person.as_bytes()),
                line: *line,
                count: *count as u32,
            })
            .collect();
        let mut totals: BTreeMap<PersonId, wire::Total> = BTreeMap::new();
        let mut total = wire::Total::default();
        for (&(person, line), &count) in taken {
            for sum in [totals.entry(person).or_default(), &mut total] {
                sum.items += count as u32;
                sum.minor += self.lines[&line].price_minor * count as u64;
            }
        }
        let totals: Vec<wire::PersonTotal> = totals
            .into_iter()
            .map(|(person, wire::Total { items, minor })| wire::PersonTotal {
                person_id: Bytes::copy_from_slice(person.as_bytes()),
                items,
                minor,
            })
            .collect();
        let is_equal = state.lines == lines
            && state.quantities == quantities
            && state.totals == totals
            && state.total.unwrap_or_default() == total
            && state.status == self.status;
        is_equal
            .then_some(())
            .ok_or_else(|| Broken("the order is not what was asked for".to_owned()))
    }
}

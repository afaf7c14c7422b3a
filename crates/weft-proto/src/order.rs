//! The group order between its core types and `proto/order.proto`.

use bytes::Bytes;
use prost::Message;
use weft_core::{
    PersonId,
    kind::order::{Effect, LineId, Offer, Op, Order, Status, Total},
    machine::Damaged,
};

use crate::{FormatError, kinds::Wired, order_wire as wire};

impl Wired for Order {
    fn op(bytes: &Bytes) -> Result<Op, FormatError> {
        use wire::order_op::Op as W;
        let op = wire::OrderOp::decode(bytes.clone())?.op.ok_or(FormatError::Field("op"))?;
        Ok(match op {
            W::AddLine(l) => Op::AddLine(offer(l.name, l.price_minor, l.stock)),
            W::EditLine(l) => Op::EditLine(l.line, offer(l.name, l.price_minor, l.stock)),
            W::RemoveLine(l) => Op::RemoveLine(l.line),
            W::Adjust(a) => Op::Adjust(a.line, a.delta),
            W::Submit(_) => Op::Submit,
            W::Reopen(_) => Op::Reopen,
            W::Close(_) => Op::Close,
        })
    }

    fn effect_bytes(effect: &Effect) -> Bytes {
        let status = effect.status;
        wire::OrderEffect {
            lines: lines(&effect.lines),
            removed_lines: effect.removed.clone(),
            quantities: quantities(&effect.quantities),
            totals: totals(&effect.totals),
            total: effect.total.map(total),
            status: status.map(|(status, ..)| status_to_wire(status).into()),
            status_by: status.map(|(_, by, _)| by.map(|id| person(&id)).unwrap_or_default()),
            status_at_ms: status.map(|(_, _, at)| at),
        }
        .encode_to_vec()
        .into()
    }

    fn effect(bytes: &Bytes) -> Result<Effect, FormatError> {
        let effect = wire::OrderEffect::decode(bytes.clone())?;
        let status = match effect.status {
            None => None,
            Some(status) => Some((
                status_from_wire(status)?,
                crate::log::person_from_wire(&effect.status_by.unwrap_or_default())?,
                effect.status_at_ms.unwrap_or_default(),
            )),
        };
        Ok(Effect {
            lines: lines_from_wire(effect.lines),
            removed: effect.removed_lines,
            quantities: quantities_from_wire(effect.quantities)?,
            totals: totals_from_wire(effect.totals)?,
            total: effect.total.map(total_from_wire),
            status,
        })
    }

    fn state_bytes(&self) -> Bytes {
        let parts = self.parts();
        let (status, by, at) = parts.status.unwrap_or_default();
        wire::OrderState {
            lines: lines(&parts.lines),
            quantities: quantities(&parts.quantities),
            totals: totals(&parts.totals),
            total: parts.total.map(total),
            status: status_to_wire(status).into(),
            status_by: by.map(|id| person(&id)).unwrap_or_default(),
            status_at_ms: at,
        }
        .encode_to_vec()
        .into()
    }

    fn state(bytes: &Bytes) -> Result<Self, Damaged> {
        let damaged = |e: FormatError| Damaged(e.to_string());
        let state = wire::OrderState::decode(bytes.clone()).map_err(|e| damaged(e.into()))?;
        let by = crate::log::person_from_wire(&state.status_by).map_err(damaged)?;
        let status = status_from_wire(state.status).map_err(damaged)?;
        Ok(Self::restore(&Effect {
            lines: lines_from_wire(state.lines),
            removed: Vec::new(),
            quantities: quantities_from_wire(state.quantities).map_err(damaged)?,
            totals: totals_from_wire(state.totals).map_err(damaged)?,
            total: state.total.map(total_from_wire),
            status: Some((status, by, state.status_at_ms)),
        }))
    }
}

fn offer(name: String, price_minor: u64, stock: Option<u32>) -> Offer {
    Offer { name, price_minor, stock }
}

fn person(id: &PersonId) -> Bytes {
    Bytes::copy_from_slice(id.as_bytes())
}

fn a_person(bytes: &Bytes) -> Result<PersonId, FormatError> {
    PersonId::try_from(&bytes[..]).map_err(|_| FormatError::Field("person_id"))
}

fn lines(lines: &[(LineId, Offer)]) -> Vec<wire::Line> {
    let line = |(id, offer): &(LineId, Offer)| wire::Line {
        id: *id,
        name: offer.name.clone(),
        price_minor: offer.price_minor,
        stock: offer.stock,
    };
    lines.iter().map(line).collect()
}

fn lines_from_wire(lines: Vec<wire::Line>) -> Vec<(LineId, Offer)> {
    lines.into_iter().map(|l| (l.id, offer(l.name, l.price_minor, l.stock))).collect()
}

fn quantities(quantities: &[(PersonId, LineId, u32)]) -> Vec<wire::Quantity> {
    let quantity = |(id, line, count): &(PersonId, LineId, u32)| wire::Quantity {
        person_id: person(id),
        line: *line,
        count: *count,
    };
    quantities.iter().map(quantity).collect()
}

fn quantities_from_wire(
    quantities: Vec<wire::Quantity>,
) -> Result<Vec<(PersonId, LineId, u32)>, FormatError> {
    quantities.into_iter().map(|q| Ok((a_person(&q.person_id)?, q.line, q.count))).collect()
}

fn totals(totals: &[(PersonId, Total)]) -> Vec<wire::PersonTotal> {
    let total = |(id, total): &(PersonId, Total)| wire::PersonTotal {
        person_id: person(id),
        items: total.items,
        minor: total.minor,
    };
    totals.iter().map(total).collect()
}

fn totals_from_wire(totals: Vec<wire::PersonTotal>) -> Result<Vec<(PersonId, Total)>, FormatError> {
    let total = |t: &wire::PersonTotal| Total { items: t.items, minor: t.minor };
    totals.into_iter().map(|t| Ok((a_person(&t.person_id)?, total(&t)))).collect()
}

fn total(total: Total) -> wire::Total {
    wire::Total { items: total.items, minor: total.minor }
}

fn total_from_wire(total: wire::Total) -> Total {
    Total { items: total.items, minor: total.minor }
}

fn status_to_wire(status: Status) -> wire::Status {
    match status {
        Status::Open => wire::Status::Open,
        Status::Submitted => wire::Status::Submitted,
        Status::Closed => wire::Status::Closed,
    }
}

fn status_from_wire(status: i32) -> Result<Status, FormatError> {
    match wire::Status::try_from(status) {
        Ok(wire::Status::Open) => Ok(Status::Open),
        Ok(wire::Status::Submitted) => Ok(Status::Submitted),
        Ok(wire::Status::Closed) => Ok(Status::Closed),
        Err(_) => Err(FormatError::Field("status")),
    }
}

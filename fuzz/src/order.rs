//! Group orders: operations, effects and snapshots, and what an order's sums must be.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use weft_core::machine::Upset;
use weft_proto::{kinds, order_wire::OrderState};

const KIND: &str = "order";

/// Operations of four people in turn. A replica that applies the effects has the same state; the sums
/// are those of what was taken.
pub fn ops(input: Bytes) {
    let mut order = kinds::open(KIND, None).expect("the kind exists");
    let mut replica = kinds::open(KIND, None).expect("the kind exists");
    for (op, seq) in super::parts(input).into_iter().zip(2..) {
        let before = order.digest();
        match order.execute(&op, &super::author((seq % 4) as u8, seq)) {
            Ok(effect) => {
                replica.apply(&effect.expect("every operation is logged")).expect("an effect");
                assert_eq!(replica.digest(), order.digest(), "the replica's state");
                sums_are_right(&order.snapshot());
            }
            Err(Upset::Refused(_)) => assert_eq!(order.digest(), before, "refused, but changed"),
            Err(Upset::Broken(why)) => panic!("{why}"),
        }
    }
    super::survives(KIND, order.as_ref());
}

fn sums_are_right(state: &Bytes) {
    let state = OrderState::decode(state.clone()).expect("a state of its own");
    let prices: BTreeMap<_, _> =
        state.lines.iter().map(|line| (line.id, line.price_minor)).collect();
    let mut sums = BTreeMap::new();
    let (mut items, mut minor) = (0, 0);
    for taken in &state.quantities {
        let costs = prices[&taken.line] * u64::from(taken.count);
        let sum: &mut (u32, u64) = sums.entry(taken.person_id.clone()).or_default();
        *sum = (sum.0 + taken.count, sum.1 + costs);
        (items, minor) = (items + taken.count, minor + costs);
    }
    let totals = state.totals.iter().map(|t| (t.person_id.clone(), (t.items, t.minor)));
    assert_eq!(totals.collect::<BTreeMap<_, _>>(), sums, "the totals of {:?}", state.quantities);
    assert_eq!(state.total.map_or((0, 0), |t| (t.items, t.minor)), (items, minor), "the total");
}

/// Effects as a log may hold them: applied or refused, and the state can be stored.
pub fn effects(input: Bytes) {
    let mut order = kinds::open(KIND, None).expect("the kind exists");
    for effect in super::parts(input) {
        let before = order.digest();
        if order.apply(&effect).is_err() {
            assert_eq!(order.digest(), before, "refused, but changed");
        }
    }
    super::survives(KIND, order.as_ref());
}

/// A snapshot's state.
pub fn snapshot(state: Bytes) {
    if let Some(order) = super::open(KIND, &state) {
        super::survives(KIND, order.as_ref());
    }
}

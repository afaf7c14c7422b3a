//! Orders as tables of what is asked and seen, and against a recount.

use super::*;
use proptest::prelude::*;

fn person(n: u8) -> PersonId {
    PersonId::from_bytes([n; 16])
}

fn by(n: u8, seq: u64) -> Author {
    Author { person: Some(person(n)), right: Right::Edit, at: 1000 + seq, seq }
}

fn offer(name: &str, price_minor: u64, stock: Option<u32>) -> Offer {
    Offer { name: name.to_owned(), price_minor, stock }
}

/// Runs a script, one operation a line with what is to be seen after it:
/// `person op args | expected`. Lines are named by the seq that added them, starting at 1.
fn check(script: &str) {
    let mut order = Order::default();
    let mut seq = 0;
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (asked, expected) = line.split_once('|').expect("an operation and what is seen");
        let words: Vec<&str> = asked.split_whitespace().collect();
        let number = |at: usize| words[at].parse::<u64>().expect("a number");
        let op = match words[1] {
            "add" => Op::AddLine(offer(
                words[2],
                number(3),
                words.get(4).map(|n| n.parse().expect("stock")),
            )),
            "edit" => Op::EditLine(
                number(2),
                offer(words[3], number(4), words.get(5).map(|n| n.parse().expect("stock"))),
            ),
            "remove" => Op::RemoveLine(number(2)),
            "take" => Op::Adjust(number(2), words[3].parse().expect("a delta")),
            "submit" => Op::Submit,
            "reopen" => Op::Reopen,
            "close" => Op::Close,
            other => panic!("unknown operation {other}"),
        };
        let who = words[0].as_bytes()[0] - b'A' + 1;
        let mut author = by(who, seq + 1);
        if who == 1 {
            author.right = Right::Manage;
        }
        let before = order.clone();
        let seen = match order.decide(&op, &author) {
            Ok(effect) => {
                seq += 1;
                order.apply(&effect);
                show(&order)
            }
            Err(fault) => {
                assert_eq!(order, before, "a refused operation changes nothing");
                fault.to_string()
            }
        };
        assert_eq!(seen, expected.trim(), "after {asked}");
    }
}

fn show(order: &Order) -> String {
    let mut parts = Vec::new();
    for (id, line) in &order.lines {
        let stock = line.stock.map_or(String::new(), |left| format!(" left {left}"));
        parts.push(format!("{id}:{} {}{stock}", line.name, line.price_minor));
    }
    for (&who, total) in &order.totals {
        let letter = (b'A' + who.as_bytes()[0] - 1) as char;
        parts.push(format!("{letter} {}={}", total.items, total.minor));
    }
    parts.push(format!("all {}={}", order.total.items, order.total.minor));
    if order.status != Status::Open {
        parts.push(order.status.name().to_owned());
    }
    parts.join(", ")
}

#[test]
fn everybody_adds_and_takes_away() {
    check(
        "
        A add soup 500     | 1:soup 500, all 0=0
        A take 1 2         | 1:soup 500, A 2=1000, all 2=1000
        B take 1 1         | 1:soup 500, A 2=1000, B 1=500, all 3=1500
        A take 1 -1        | 1:soup 500, A 1=500, B 1=500, all 2=1000
        A take 1 -2        | order.below_zero
        B take 1 -1        | 1:soup 500, A 1=500, all 1=500
        C take 9 1         | order.unknown_line
        ",
    );
}

#[test]
fn two_people_take_the_last_one_and_one_gets_it() {
    check(
        "
        A add cake 300 1   | 1:cake 300 left 1, all 0=0
        B take 1 1         | 1:cake 300 left 0, B 1=300, all 1=300
        C take 1 1         | order.sold_out left=0 name=cake
        B take 1 -1        | 1:cake 300 left 1, all 0=0
        C take 1 1         | 1:cake 300 left 0, C 1=300, all 1=300
        ",
    );
}

#[test]
fn prices_and_lines_change_under_way() {
    check(
        "
        A add soup 500 10  | 1:soup 500 left 10, all 0=0
        A add tea 100      | 1:soup 500 left 10, 2:tea 100, all 0=0
        B take 1 2         | 1:soup 500 left 8, 2:tea 100, B 2=1000, all 2=1000
        B take 2 1         | 1:soup 500 left 8, 2:tea 100, B 3=1100, all 3=1100
        A edit 1 stew 600 1 | 1:stew 600 left 1, 2:tea 100, B 3=1300, all 3=1300
        A remove 1         | 2:tea 100, B 1=100, all 1=100
        A remove 1         | order.unknown_line
        B take 1 1         | order.unknown_line
        ",
    );
}

#[test]
fn steps_follow_one_another() {
    check(
        "
        A add tea 100      | 1:tea 100, all 0=0
        B submit           | 1:tea 100, all 0=0, submitted
        B take 1 1         | order.not_open status=submitted
        A add soup 1       | order.not_open status=submitted
        B submit           | order.wrong_status status=submitted
        B reopen           | no_right needed=manage
        A reopen           | 1:tea 100, all 0=0
        A reopen           | order.wrong_status status=open
        B close            | no_right needed=manage
        A close            | 1:tea 100, all 0=0, closed
        A reopen           | order.wrong_status status=closed
        A close            | order.wrong_status status=closed
        ",
    );
}

#[test]
fn lines_are_within_bounds() {
    let order = Order::default();
    let bad = [
        offer(" ", 1, None),
        offer(&"x".repeat(101), 1, None),
        offer("a\nb", 1, None),
        offer("x", PRICE_MINOR_MAX + 1, None),
        offer("x", 1, Some(COUNT_MAX + 1)),
    ];
    for offer in bad {
        let fault = order.decide(&Op::AddLine(offer), &by(1, 1)).unwrap_err();
        assert_eq!(fault.code, "order.bad_line");
    }
    let added = order.decide(&Op::AddLine(offer(" 面 ", 1, None)), &by(1, 1)).unwrap();
    assert_eq!(added.lines, [(1, offer("面", 1, None))]);
}

#[test]
fn a_reader_changes_nothing() {
    let reader = Author { right: Right::Comment, ..by(1, 1) };
    for op in [Op::AddLine(offer("x", 1, None)), Op::Adjust(1, 1), Op::Submit, Op::Close] {
        assert_eq!(Order::default().decide(&op, &reader).unwrap_err().code, "no_right");
    }
}

/// The slow and obvious model: totals are counted anew from what everybody has taken.
fn recount(order: &Order) -> (BTreeMap<PersonId, Total>, Total) {
    let mut totals: BTreeMap<PersonId, Total> = BTreeMap::new();
    let mut all = Total::default();
    for (&(who, line), &count) in &order.quantities {
        let minor = order.lines[&line].price_minor * u64::from(count);
        for total in [totals.entry(who).or_default(), &mut all] {
            total.items += count;
            total.minor += minor;
        }
    }
    (totals, all)
}

fn any_op() -> impl Strategy<Value = Op> {
    let any_offer = || {
        (0..1000_u64, proptest::option::of(0..5_u32))
            .prop_map(|(price, stock)| offer("x", price, stock))
    };
    let line = 1..8_u64;
    prop_oneof![
        2 => any_offer().prop_map(Op::AddLine),
        1 => (line.clone(), any_offer()).prop_map(|(l, o)| Op::EditLine(l, o)),
        1 => line.clone().prop_map(Op::RemoveLine),
        12 => (line, -3..4_i32).prop_map(|(l, d)| Op::Adjust(l, d)),
    ]
}

proptest! {
    #[test]
    fn totals_are_what_a_recount_gives(ops in proptest::collection::vec((any_op(), 1..4_u8), 1..80)) {
        let mut order = Order::default();
        let mut replica = Order::default();
        let mut seq = 0;
        for (op, who) in ops {
            let before: u64 = stock_and_taken(&order);
            if let Ok(effect) = order.decide(&op, &by(who, seq + 1)) {
                seq += 1;
                order.apply(&effect);
                replica.apply(&effect);
                if matches!(op, Op::Adjust(..)) {
                    prop_assert_eq!(stock_and_taken(&order), before, "nothing is made or lost");
                }
            }
            prop_assert_eq!(recount(&order), (order.totals.clone(), order.total));
            prop_assert_eq!(&order, &replica);
            prop_assert_eq!(&Order::restore(&order.parts()), &order);
        }
    }
}

/// Of the lines with a stock: what is left and what is taken, together.
fn stock_and_taken(order: &Order) -> u64 {
    order
        .lines
        .iter()
        .filter_map(|(&id, line)| line.stock.map(|left| (id, left)))
        .map(|(id, left)| {
            let taken =
                order.quantities.iter().filter(|((_, l), _)| *l == id).map(|(_, &n)| u64::from(n));
            u64::from(left) + taken.sum::<u64>()
        })
        .sum()
}

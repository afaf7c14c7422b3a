//! Schedules that found something once, that a seed gives the same run again, and a number of others.
//! `cargo xtask sim` runs more of them.

use weft_sim::{KINDS, run};

/// Runs that break a rule if a defect that the simulator found is planted again.
const FOUND: [(&str, u64, &str); 10] = [
    ("order", 74, "what was decided on another node while it waited was decided again"),
    ("order", 47, "early operations waited for ever for what another node had decided"),
    ("order", 30, "rights that another node had taken away were used after a reload"),
    ("order", 222, "a person's operations were decided before all rights were set"),
    ("order", 37, "what was held early did not count as what waits"),
    ("order", 543, "refusals by another node were not noticed, because the head stays"),
    ("doc", 6_225, "an edit of one who was signed out got its person's new rights"),
    ("doc", 4, "an exchange ended with the second update that lacked what was asked for already"),
    ("doc", 442, "an answer that a Yjs client does not count had a signal"),
    ("inbox", 2_396, "a delivery came again when the inbox had forgotten its number"),
];

#[test]
fn what_was_found_once_stays_mended() {
    for (kind, seed, what) in FOUND {
        let broken = run(kind, seed, false).broken;
        assert_eq!(broken, None, "{kind} {seed}: {what}");
    }
}

#[test]
fn a_seed_gives_the_same_run_again() {
    for kind in KINDS {
        let first = run(kind, 7, false);
        let again = run(kind, 7, true);
        assert_eq!((first.hash, first.counts), (again.hash, again.counts));
        assert_ne!(first.hash, run(kind, 8, false).hash);
        assert!(again.trace.lines().count() > 200, "a run can be read");
    }
}

#[test]
fn no_rule_is_broken_and_much_goes_wrong() {
    for (kind, count) in [("order", 1_000), ("doc", 200), ("inbox", 500)] {
        let (mut accepted, mut refused) = (0, 0);
        for seed in 1..=count {
            let run = run(kind, seed, false);
            assert_eq!(run.broken, None, "{kind} {seed}");
            assert!(run.counts.faults >= 10 && run.counts.ops >= 40, "{kind} {seed}");
            accepted += run.counts.accepted;
            refused += run.counts.refused;
        }
        assert!(accepted > 20 * count && refused > count, "{kind}: {accepted} and {refused}");
    }
}

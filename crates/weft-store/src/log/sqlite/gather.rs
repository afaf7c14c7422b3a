//! When the writer waits a little before it commits, so that one commit carries more.
//!
//! A commit costs some 0.2 ms of processor time however little is in it. So while rooms change
//! independently of one another, commits are kept some milliseconds apart. Waiting for those who
//! themselves wait for an answer would gain nothing: rooms of the last commits do not count. Nor
//! does a commit wait for longer than a moment that comes after a quiet time, or on a disk whose commits take that long.
//!
//! Time is passed in, since any start that stays the same. Start at [`Gather::pause`].

use std::{collections::HashSet, mem, time::Duration};

use weft_core::RoomId;

/// Commits are kept no farther apart than this: what a person who types never notices.
const APART_MAX: Duration = Duration::from_millis(4);
/// Changes that a commit is meant to carry. With more each would cost little less, and wait longer.
const COMPANY: f64 = 8.0;
/// Fewer independent changes between two commits are not worth a pause.
const COMPANY_MIN: f64 = 2.0;
/// A pause is no shorter: rooms that end their gathering at the same moment send one after the other.
const PAUSE_MIN: Duration = Duration::from_millis(1);
/// Over how long the rate is taken, roughly, in seconds.
const RATE_SECONDS: f64 = 0.1;
/// Commits without a pause after pauses that brought nothing. So many make what trying again costs
/// vanish.
const SKIPPED_MAX: u32 = 255;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Gather {
    /// The rooms of the last two commits, the later first.
    recent: [HashSet<RoomId>; 2],
    /// When the last commit began.
    began: Duration,
    /// Changes a second, lately.
    all: f64,
    /// Those of them that were not of the two commits before.
    independent: f64,
    /// Commits still to come before the next pause.
    skip: u32,
    /// Commits that the last pause without gain made skip.
    skipped: u32,
}

impl Gather {
    /// How long to wait for more before the next commit, which so many changes wait for already.
    pub fn pause(&mut self, now: Duration, waiting: usize) -> Duration {
        let apart = (COMPANY / self.all).min(APART_MAX.as_secs_f64());
        if waiting as f64 >= COMPANY || self.independent * apart < COMPANY_MIN {
            return Duration::ZERO;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return Duration::ZERO;
        }
        (self.began + Duration::from_secs_f64(apart)).saturating_sub(now).max(PAUSE_MIN)
    }

    /// Changes of these rooms came during a pause.
    pub fn paused(&mut self, came: impl Iterator<Item = RoomId>) {
        self.skipped = match self.count_independent(came) {
            0 => (2 * self.skipped + 1).min(SKIPPED_MAX),
            _ => 0,
        };
        self.skip = self.skipped;
    }

    /// A commit of changes of these rooms begins.
    pub fn commits(&mut self, now: Duration, rooms: impl Iterator<Item = RoomId> + Clone) {
        let seconds = now.saturating_sub(self.began).as_secs_f64();
        // An average whose memory fades: exact for a long gap, stable for a short one.
        let average =
            |rate: f64, count| (rate * RATE_SECONDS + count as f64) / (RATE_SECONDS + seconds);
        self.all = average(self.all, rooms.clone().count());
        self.independent = average(self.independent, self.count_independent(rooms.clone()));
        self.began = now;
        let [last, before] = &mut self.recent;
        mem::swap(last, before);
        last.clear();
        last.extend(rooms);
    }

    fn count_independent(&self, rooms: impl Iterator<Item = RoomId>) -> usize {
        rooms.filter(|room| self.recent.iter().all(|recent| !recent.contains(room))).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a commit takes, and an answered room to send its next change.
    const COMMIT: Duration = Duration::from_micros(400);
    const REPLY: Duration = Duration::from_micros(30);

    /// What came of a second of changes.
    #[derive(Debug, Default)]
    struct Run {
        commits: u32,
        changes: u32,
        paused: Duration,
        longest: Duration,
    }

    /// Changes are due at these times, of these rooms; after an answer a room's next one is due when
    /// `again` says.
    fn run(
        mut due: Vec<(Duration, u64)>,
        mut again: impl FnMut(Duration, u64) -> Option<Duration>,
    ) -> Run {
        let (mut gather, mut run, mut now) = (Gather::default(), Run::default(), Duration::ZERO);
        let room = |number| RoomId::new(number, [3; 10]);
        let take = |due: &mut Vec<(Duration, u64)>, now: Duration| -> Vec<u64> {
            due.extract_if(.., |(at, _)| *at <= now).map(|(_, number)| number).collect()
        };
        while let Some(first) = due.iter().map(|(at, _)| *at).min()
            && first < Duration::from_secs(1)
        {
            now = now.max(first);
            let mut group = take(&mut due, now);
            let pause = gather.pause(now, group.len());
            if !pause.is_zero() {
                now += pause;
                let came = take(&mut due, now);
                gather.paused(came.iter().copied().map(room));
                group.extend(came);
            }
            run.paused += pause;
            run.longest = run.longest.max(pause);
            run.commits += 1;
            run.changes += group.len() as u32;
            gather.commits(now, group.iter().copied().map(room));
            now += COMMIT;
            due.extend(group.into_iter().filter_map(|n| Some((again(now, n)?, n))));
        }
        run
    }

    /// So many changes a second, of so many rooms in turn, at uneven times.
    fn paced(per_second: u64, rooms: u64) -> Run {
        let gap = 1_000_000 / per_second;
        let due = |n| (Duration::from_micros(n * gap + n * n % gap), n * 31 % rooms);
        run((0..per_second).map(due).collect(), |_, _| None)
    }

    #[test]
    fn many_that_type_share_commits() {
        let busy = paced(2_500, 50);
        assert!(busy.changes >= 6 * busy.commits, "{busy:?}");
        let busier = paced(5_000, 500);
        assert!(busier.changes >= 6 * busier.commits, "{busier:?}");
        for run in [busy, busier] {
            assert!(run.longest <= APART_MAX, "{run:?}");
        }
    }

    /// Rooms that send their next change some time after the last one was answered are not slowed
    /// down more than a commit does itself, and still share commits.
    #[test]
    fn rooms_that_wait_and_then_think_share_commits_and_keep_their_pace() {
        for think_us in [3_000, 10_000, 30_000] {
            let uneven = |n: u64| Duration::from_micros(think_us / 2 + n * 7_919 % think_us);
            let due = (0..50).map(|n| (uneven(n), n)).collect();
            let all = run(due, |now, n| Some(now + uneven(now.as_micros() as u64 + n)));
            let alone = 50_000_000 / (think_us + COMMIT.as_micros() as u64);
            assert!(u64::from(all.changes) > alone * 3 / 4, "{think_us}: {alone} {all:?}");
            assert!(all.changes >= 4 * all.commits, "{think_us}: {all:?}");
        }
    }

    #[test]
    fn few_that_type_are_not_held_up() {
        let few = paced(100, 50);
        assert_eq!((few.commits, few.longest), (100, Duration::ZERO));
    }

    #[test]
    fn those_who_wait_for_answers_are_not_waited_for() {
        for rooms in [1, 2, 3, 16, 128, 1000] {
            let due = (0..rooms).map(|n| (Duration::from_micros(n), n)).collect();
            let closed = run(due, |now, n| Some(now + REPLY + Duration::from_nanos(n * 300)));
            // A second of it, of which the first commits must tell.
            assert!(closed.paused < 10 * APART_MAX, "{rooms}: {closed:?}");
        }
    }

    /// Rooms that send one after the other at the same moments, as those do that end their gathering together.
    #[test]
    fn a_burst_is_one_commit() {
        let due =
            |n: u64| (Duration::from_millis(n / 40 * 20) + Duration::from_micros(n % 40), n % 400);
        let bursts = run((0..2_000).map(due).collect(), |_, _| None);
        assert!(bursts.commits <= 55, "{bursts:?}");
        assert_eq!(bursts.longest, PAUSE_MIN, "{bursts:?}");
    }

    /// Rooms that send at the very same moments: whoever else would have come is there.
    #[test]
    fn pauses_that_bring_nothing_become_rare() {
        let due = |n: u64| (Duration::from_millis(n / 7 * 10), n % 400);
        let bursts = run((0..700).map(due).collect(), |_, _| None);
        assert!(!bursts.paused.is_zero(), "{bursts:?}");
        assert!(bursts.paused < 10 * PAUSE_MIN, "{bursts:?}");
    }

    #[test]
    fn a_slow_disk_gathers_by_itself() {
        let mut gather = Gather::default();
        let mut now = Duration::ZERO;
        for commit in 0..1_000 {
            let rooms = (0..20).map(|n| RoomId::new(commit * 20 + n, [3; 10]));
            gather.commits(now, rooms);
            now += 2 * APART_MAX;
            assert!(gather.pause(now, 1) <= PAUSE_MIN);
            assert_eq!(gather.pause(now, 20), Duration::ZERO);
        }
    }
}

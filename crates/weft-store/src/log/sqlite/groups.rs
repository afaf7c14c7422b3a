//! Group commit's front: what waits for the writer becomes groups, and those who asked get their
//! answers.
//!
//! It runs on the writer's own thread, so that a commit costs one wake there and one back: whoever asks wakes
//! the thread, and the thread wakes whoever is answered.

use std::{
    mem,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot};
use weft_core::RoomId;

use super::{
    gather::Gather,
    plan::{Answer, Request},
    writer::Writer,
};

/// Requests in one transaction.
const GROUP_JOBS_MAX: usize = 256;
/// Bytes of rows in one transaction: what others wait for while one room imports much. A single
/// larger request goes alone.
const GROUP_BYTES_MAX: usize = 1024 * 1024;
/// Rows are filed after so long without a request; filing that failed is tried again as late.
const QUIET: Duration = Duration::from_secs(1);

/// A request and where its answer goes.
#[derive(Debug)]
pub(super) struct Job {
    pub request: Request,
    pub reply: oneshot::Sender<Answer>,
}

/// Gives groups to the writer until the log is closed or dropped. Blocks its thread.
pub(super) fn run(mut queue: mpsc::Receiver<Job>, mut writer: Writer) {
    let (started, mut gather) = (Instant::now(), Gather::default());
    let mut waiting = Vec::new();
    loop {
        take_waiting(&mut queue, &mut waiting);
        let mut quiet = false;
        if waiting.is_empty() && !writer.has_later() {
            let patience = writer.has_unfiled().then_some(QUIET);
            match wait(&mut queue, &mut waiting, patience) {
                Some(0) => return,
                Some(_) => {}
                None => quiet = true,
            }
        }
        let alone = waiting.len();
        // Nothing but changes is held up.
        if !writer.has_later() && alone > 0 && changed_rooms(&waiting).count() == alone {
            let pause = gather.pause(started.elapsed(), alone);
            if !pause.is_zero() {
                thread::sleep(pause);
                take_waiting(&mut queue, &mut waiting);
                gather.paused(changed_rooms(&waiting[alone..]));
            }
        }
        let rest = waiting.split_off(group_len(&waiting));
        let jobs = mem::replace(&mut waiting, rest);
        if jobs.iter().any(|job| matches!(job.request, Request::Close)) {
            queue.close();
        }
        if changed_rooms(&jobs).next().is_some() {
            gather.commits(started.elapsed(), changed_rooms(&jobs));
        }
        for (reply, answer) in writer.turn(jobs) {
            // The asker may have gone; what was asked is done all the same.
            let _ = reply.send(answer);
        }
        // Nobody answered waits for this.
        writer.file_if_due(quiet);
    }
}

/// Blocks until something is in the queue, and takes it; says how much. 0: there will be nothing any
/// more. `None`: nothing came for so long.
fn wait(
    queue: &mut mpsc::Receiver<Job>,
    into: &mut Vec<Job>,
    patience: Option<Duration>,
) -> Option<usize> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let end = patience.map(|patience| Instant::now() + patience);
    loop {
        let polled = queue.poll_recv_many(&mut Context::from_waker(&waker), into, GROUP_JOBS_MAX);
        if let Poll::Ready(taken) = polled {
            return Some(taken);
        }
        match end.map(|end| end.saturating_duration_since(Instant::now())) {
            Some(Duration::ZERO) => return None,
            Some(left) => thread::park_timeout(left),
            None => thread::park(),
        }
    }
}

/// Takes what is in the queue, up to a group.
fn take_waiting(queue: &mut mpsc::Receiver<Job>, waiting: &mut Vec<Job>) {
    while waiting.len() < GROUP_JOBS_MAX
        && let Ok(job) = queue.try_recv()
    {
        waiting.push(job);
    }
}

/// The rooms that these want to change.
fn changed_rooms(jobs: &[Job]) -> impl Iterator<Item = RoomId> + Clone {
    jobs.iter().filter_map(|job| job.request.changed_room())
}

/// How many of these go in one group, 1 at least if there is any.
fn group_len(jobs: &[Job]) -> usize {
    let mut bytes = 0;
    let fits = |job: &&Job| {
        bytes += job.request.row_bytes();
        bytes <= GROUP_BYTES_MAX
    };
    let fitting = jobs.iter().take_while(fits).count();
    fitting.clamp(1, GROUP_JOBS_MAX).min(jobs.len())
}

//! Group commit's front: the task that hands requests to the writer's thread, a group at a time, and
//! its answers to those who asked.
//!
//! It is a task beside the rooms', so that whole groups cross between threads, with one wake there
//! and one back, however many rooms are in them; and so that it can let those who were just answered
//! go on first, who may have more to say.

use std::{
    mem,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, oneshot},
    task::yield_now,
    time::{sleep, timeout},
};
use weft_core::RoomId;

use super::{
    gather::Gather,
    plan::{Answer, Request},
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

/// What the writer does at once: one group, or filing after a quiet time.
pub(super) struct Turn {
    pub jobs: Vec<Job>,
    pub quiet: bool,
    pub done: oneshot::Sender<Done>,
}

/// What came of a turn. Sent before the writer files: nobody answered waits for that.
pub(super) struct Done {
    pub answers: Vec<(oneshot::Sender<Answer>, Answer)>,
    /// Jobs of this turn or earlier ones wait for filing, and so for the next turn.
    pub has_later: bool,
    /// Something should be filed when it is quiet.
    pub has_unfiled: bool,
}

/// Hands groups to the writer until the log is closed or dropped.
pub(super) async fn run(mut queue: mpsc::Receiver<Job>, writer: mpsc::Sender<Turn>) {
    let (started, mut gather) = (Instant::now(), Gather::default());
    let mut waiting = Vec::new();
    let (mut has_later, mut has_unfiled) = (false, true);
    loop {
        take_waiting(&mut queue, &mut waiting);
        let mut quiet = false;
        if waiting.is_empty() && !has_later {
            let some = queue.recv_many(&mut waiting, GROUP_JOBS_MAX);
            let received =
                if has_unfiled { timeout(QUIET, some).await.ok() } else { Some(some.await) };
            if received == Some(0) {
                return;
            }
            quiet = received.is_none();
        }
        let alone = waiting.len();
        // Nothing but changes is held up.
        if !has_later && alone > 0 && changed_rooms(&waiting).count() == alone {
            let pause = gather.pause(started.elapsed(), alone);
            if !pause.is_zero() {
                sleep(pause).await;
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
        let (done, result) = oneshot::channel();
        if writer.send(Turn { jobs, quiet, done }).await.is_err() {
            return;
        }
        let Ok(done) = result.await else { return };
        for (reply, answer) in done.answers {
            // The asker may have gone; what was asked is done all the same.
            let _ = reply.send(answer);
        }
        (has_later, has_unfiled) = (done.has_later, done.has_unfiled);
        yield_now().await;
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

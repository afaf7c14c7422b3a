//! Faults for tests: a disk that is full, a commit whose outcome nobody hears.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

/// Switches that tests turn while the log is open. The default is no fault.
#[derive(Debug, Default)]
pub struct Faults {
    pages_max: AtomicU32,
    next_commit: AtomicU8,
    next_filing: AtomicU8,
    filing_held: AtomicBool,
}

/// What happens to a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFault {
    /// It is not carried out, and the outcome is unknown.
    Lost = 1,
    /// It is carried out, and the outcome is unknown.
    Unheard = 2,
}

impl Faults {
    /// Lets the database file have so many pages of 4 KiB and no more; 0 lifts the limit. One that
    /// is below the present size stops all growth.
    pub fn set_pages_max(&self, pages: u32) {
        self.pages_max.store(pages, Ordering::Release);
    }

    /// Does this to the next commit of appends.
    pub fn fail_next_commit(&self, fault: CommitFault) {
        self.next_commit.store(fault as u8, Ordering::Release);
    }

    /// Does this to the next commit that files rows of the journal.
    pub fn fail_next_filing(&self, fault: CommitFault) {
        self.next_filing.store(fault as u8, Ordering::Release);
    }

    /// While `true`, rows of the journal are filed only if somebody waits for it.
    pub fn hold_filing(&self, held: bool) {
        self.filing_held.store(held, Ordering::Release);
    }

    pub(super) fn pages_max(&self) -> u32 {
        self.pages_max.load(Ordering::Acquire)
    }

    pub(super) fn filing_held(&self) -> bool {
        self.filing_held.load(Ordering::Acquire)
    }

    pub(super) fn take_commit_fault(&self) -> Option<CommitFault> {
        take(&self.next_commit)
    }

    pub(super) fn take_filing_fault(&self) -> Option<CommitFault> {
        take(&self.next_filing)
    }
}

fn take(fault: &AtomicU8) -> Option<CommitFault> {
    match fault.swap(0, Ordering::AcqRel) {
        1 => Some(CommitFault::Lost),
        2 => Some(CommitFault::Unheard),
        _ => None,
    }
}

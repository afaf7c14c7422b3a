//! Deliberate defects, to see that tests find them: `cargo xtask mutants`.
//!
//! Each stands in the code as `planted!(Bug)`, which is `false` unless this crate is built with the
//! feature `planted` and the environment variable `WEFT_PLANTED` names it. The program refuses to be
//! built with that feature.

/// Whether defects can be planted in this build.
pub const IS_POSSIBLE: bool = cfg!(feature = "planted");

macro_rules! bugs {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// A deliberate defect.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Bug { $($(#[$doc])* $name),* }

        impl Bug {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

bugs! {
    /// Authors are answered when their operation was decided, not when it is durable.
    AnswerBeforeCommit,
    /// Others are shown entries when they were decided.
    ShowBeforeCommit,
    /// A repeat of what is under way is answered at once.
    AnswerRepeatEarly,
    /// Reads do not wait for the batch in flight.
    ReadWorkingState,
    /// All operations of a batch are decided for the seq of its first one.
    DecideForCommittedHead,
    /// After a failed commit the room goes on with the state that it had decided on.
    KeepStateOfFailedCommit,
    /// A commit whose outcome is unknown counts as stored.
    TakeUnknownForStored,
    /// A commit that was overtaken counts as stored.
    TakeOvertakenForStored,
    /// Ledgers are not stored with the entries.
    CommitWithoutLedgers,
    /// What is committed is not noted in the ledgers in memory.
    ForgetLedgers,
    /// A refusal is told before it is durable, and not stored.
    RefuseWithoutLedger,
    /// That others have stored ledgers alone is not noticed.
    IgnoreAnswers,
    /// What was decided elsewhere while it waited is decided again.
    DecideAgain,
    /// After a reload, lanes stand where they stood.
    ForgetToCatchUp,
    /// Operations are taken in the order in which they come.
    IgnoreOrderOfClient,
    /// Early operations whose predecessors never come are not reported.
    HoldEarlyForEver,
    /// What is held early does not count as what waits, and nothing is ever too much.
    LeakQueue,
    /// What has changed about rights elsewhere is not looked up.
    IgnoreRightsOnReload,
    /// Rights are set one after the other, with decisions between.
    DecideBetweenRights,
    /// A change of rights leaves alone what was sent before.
    KeepRightsOfQueued,
    /// What a session has sent stays queued when its sign-in ends.
    KeepQueueOfRevoked,
    /// A session whose sign-in has ended gets its person's rights when they change.
    ForgetRevocation,
    /// A caller's right holds whatever has changed since it was looked up.
    TrustOldRightOfCaller,
    /// The room does not listen to how far the log is.
    IgnoreNotices,
    /// A room with a snapshot is loaded without what was logged after it.
    LoadWithoutTail,
    /// A room with a snapshot is loaded without ledgers.
    LoadWithoutLedgers,
    /// A client applies what it gets, also when something is missing before it.
    ApplyAcrossGap,
    /// A client does not ask for what it misses.
    ForgetToPull,
    /// A client drops operations that were not saved.
    DropNotSaved,
    /// A client that was loaded anew numbers its operations from 1 again.
    NumberFromOneAgain,
    /// A client sends only what is new after it was connected again.
    ForgetToSendAgain,
    /// A client merges operations into content of another lineage.
    MergeAcrossLineages,
    /// A Yjs client is told of what is saved before its answer to our step 1 is.
    SayFirstSavedEarly,
    /// A Yjs client is told that something is saved when it was passed on, not when it is durable.
    SaySavedBeforeCommit,
    /// A Yjs client that counts is given signals for what it kept while it was away.
    CountOldUpdates,
    /// A Yjs client is not asked for what its update lacked.
    ForgetToAskAgain,
    /// An exchange ends with the second update that lacks what was asked for already.
    EndWithSecondLack,
    /// A Yjs client is given signals for answers that it does not count.
    CountAnswersToOurWish,
    /// A change that was refused before its author got the right, and told after, is not asked for.
    ForgetLateRefusals,
    /// Signals for changes that were refused are not given when the changes come again.
    ForgetOwedSignals,
    /// What was refused to a Yjs client is called saved with what comes next.
    CallRefusedSaved,
    /// A document's updates are not checked for what they build on.
    SkipPredecessors,
    /// An order's stock is not looked at.
    SellWhatIsNotThere,
    /// An inbox takes what anybody tells.
    LetAnybodyTell,
    /// A delivery that is in the inbox already comes in again.
    DeliverAgain,
    /// What is kept of an inbox is without the numbers of its deliveries.
    KeepWithoutDeliveries,
    /// A delivery that is older than all that an inbox knows is taken for new.
    TakeOldForNew,
    /// What happens again is not seen, if what it counts on was read.
    CountOnAsRead,
    /// All is read, also what came after the notice up to which the person has read.
    ReadPastMark,
    /// A full inbox loses its oldest notice, although others were read.
    LoseUnreadFirst,
    /// An answer is shown with whatever was asked, by whomever.
    AnswerEverybody,
}

impl Bug {
    /// Whether this one is planted.
    #[cfg(feature = "planted")]
    #[must_use]
    pub fn is_planted(self) -> bool {
        static PLANTED: std::sync::LazyLock<Option<Bug>> = std::sync::LazyLock::new(named);
        *PLANTED == Some(self)
    }
}

#[cfg(feature = "planted")]
#[allow(clippy::disallowed_methods, reason = "no build that serves anybody has this")]
fn named() -> Option<Bug> {
    let name = std::env::var("WEFT_PLANTED").ok()?;
    Bug::ALL.iter().copied().find(|bug| format!("{bug:?}") == name)
}

/// Whether a deliberate defect is planted: never, unless for `cargo xtask mutants`.
#[cfg(feature = "planted")]
#[macro_export]
macro_rules! planted {
    ($bug:ident) => {
        $crate::planted::Bug::$bug.is_planted()
    };
}

/// Whether a deliberate defect is planted: never, unless for `cargo xtask mutants`.
#[cfg(not(feature = "planted"))]
#[macro_export]
macro_rules! planted {
    ($bug:ident) => {{
        let _ = $crate::planted::Bug::$bug;
        false
    }};
}

//! Mail: letters wait in a bounded queue, leave one by one off every request's path, and are tried again
//! while the server of mail is away.
//!
//! The queue is in memory: what waits when the program ends is lost, and people ask again. Letters hold
//! secrets: nothing of them is logged.
//!
//! Start at [`Mailer::post`]. Not here: what letters say (`words`), who may have one sent (`http`).

mod words;

use std::{
    collections::BTreeMap,
    error::Error as _,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Instant, sleep_until},
};
use weft_core::{Millis, RoomId};

use crate::{
    auth::random,
    clock::Clock,
    config::{Limits, MailConfig},
};
pub use words::Letter;

/// How long one attempt may take.
const ATTEMPT_MAX: Duration = Duration::from_secs(30);
/// Each wait is so many times as long as the one before.
const BACK_OFF: u64 = 4;
/// Characters kept of what a server says.
const WHY_CHARS_MAX: usize = 300;

/// The way out for letters.
pub struct Mailer {
    office: Arc<Office>,
    letters: mpsc::UnboundedSender<Waiting>,
}

/// What administrators are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailState {
    /// Letters that left since the start.
    pub sent: u64,
    /// Letters that were given up, or found the queue full, since the start.
    pub failed: u64,
    /// When one left last.
    pub sent_at: Option<Millis>,
    /// When an attempt failed last, and why.
    pub failure: Option<(Millis, String)>,
}

struct Office {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    server: String,
    clock: Clock,
    places: Arc<Semaphore>,
    places_max: usize,
    attempts_max: u64,
    retry_ms: u64,
    state: Mutex<MailState>,
}

/// A letter in the queue, in which it has a place until it is gone.
struct Waiting {
    letter: Letter,
    attempts: u32,
    _place: OwnedSemaphorePermit,
}

/// An attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailError {
    /// What the other server, or the way there, has to say.
    pub why: String,
    is_final: bool,
}

impl MailError {
    /// Whether it is of no use to try again.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        self.is_final
    }
}

impl Mailer {
    /// A way out with nothing on it. To be called within a runtime.
    pub(crate) fn new(config: &MailConfig, limits: &Limits, clock: Clock) -> Self {
        let places_max = usize::try_from(limits.mails_waiting_max)
            .map_or(Semaphore::MAX_PERMITS, |max| max.min(Semaphore::MAX_PERMITS));
        let office = Arc::new(Office {
            transport: config.smtp.transport().timeout(Some(ATTEMPT_MAX)).build(),
            from: config.from.clone(),
            server: config.smtp.server().to_owned(),
            clock,
            places: Arc::new(Semaphore::new(places_max)),
            places_max,
            attempts_max: limits.mail_attempts_max,
            retry_ms: limits.mail_retry_ms,
            state: Mutex::default(),
        });
        let (letters, queue) = mpsc::unbounded_channel();
        tokio::spawn(Arc::clone(&office).work(queue));
        Self { office, letters }
    }

    /// Puts a letter into the queue, unless that is full.
    pub fn post(&self, letter: Letter) {
        match Arc::clone(&self.office.places).try_acquire_owned() {
            // An error: the runtime is going down.
            Ok(place) => drop(self.letters.send(Waiting { letter, attempts: 0, _place: place })),
            Err(_) => self.office.failed("the queue is full"),
        }
    }

    /// Sends a letter now, beside the queue.
    ///
    /// # Errors
    /// [`MailError`] if the server of mail did not take it.
    pub async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let sent = self.office.send(letter).await;
        match &sent {
            Ok(()) => self.office.sent(),
            Err(error) => self.office.failed(&error.why),
        }
        sent
    }

    /// Which server takes the mail.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.office.server
    }

    /// Who it is from.
    #[must_use]
    pub fn from(&self) -> String {
        self.office.from.to_string()
    }

    /// How many letters wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.office.places_max - self.office.places.available_permits()
    }

    /// How it went so far.
    #[must_use]
    pub fn state(&self) -> MailState {
        self.office.state().clone()
    }
}

impl Office {
    /// Sends what comes, and what is due again, until nobody can post any more.
    async fn work(self: Arc<Self>, mut queue: mpsc::UnboundedReceiver<Waiting>) {
        let mut again: BTreeMap<(Instant, u64), Waiting> = BTreeMap::new();
        let mut number = 0;
        loop {
            let due = again.first_key_value().map(|(&(at, _), _)| at);
            let next = tokio::select! {
                () = until(due) => again.pop_first().map(|(_, waiting)| waiting),
                waiting = queue.recv() => match waiting {
                    Some(waiting) => Some(waiting),
                    None => return,
                },
            };
            let Some(mut waiting) = next else { continue };
            match self.send(&waiting.letter).await {
                Ok(()) => self.sent(),
                Err(error) => {
                    waiting.attempts += 1;
                    if error.is_final || u64::from(waiting.attempts) >= self.attempts_max {
                        self.failed(&error.why);
                        continue;
                    }
                    self.put_off(&error.why);
                    number += 1;
                    again.insert((self.next_attempt(waiting.attempts), number), waiting);
                }
            }
        }
    }

    fn next_attempt(&self, attempts: u32) -> Instant {
        let wait = self.retry_ms.saturating_mul(BACK_OFF.saturating_pow(attempts - 1));
        Instant::now() + Duration::from_millis(wait.min(24 * 60 * 60 * 1000))
    }

    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let message = self.message(letter)?;
        self.transport.send(message).await.map(drop).map_err(|error| {
            let mut why = error.to_string();
            if let Some(source) = error.source()
                && !why.contains(&source.to_string())
            {
                why = format!("{why}: {source}");
            }
            MailError {
                why: why.chars().take(WHY_CHARS_MAX).collect(),
                is_final: error.is_permanent(),
            }
        })
    }

    fn message(&self, letter: &Letter) -> Result<Message, MailError> {
        let unusable = |why: &str| MailError { why: why.to_owned(), is_final: true };
        let to = letter.to.parse().map_err(|_| unusable("the address cannot be used"))?;
        // Any 16 bytes of ours have letters of their own.
        let id = RoomId::new(self.clock.now(), random());
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject.clone())
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone());
        let mut message = message.map_err(|_| unusable("the letter cannot be written"))?;
        // So that nobody's absence answers it.
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        message.headers_mut().insert_raw(HeaderValue::new(name, "auto-generated".to_owned()));
        Ok(message)
    }

    fn sent(&self) {
        metrics::counter!("weft_mails_total", "outcome" => "sent").increment(1);
        let mut state = self.state();
        state.sent += 1;
        state.sent_at = Some(self.clock.now());
    }

    fn put_off(&self, why: &str) {
        metrics::counter!("weft_mails_total", "outcome" => "put_off").increment(1);
        tracing::warn!(why, server = self.server, "mail has to wait");
        self.state().failure = Some((self.clock.now(), why.to_owned()));
    }

    fn failed(&self, why: &str) {
        metrics::counter!("weft_mails_total", "outcome" => "failed").increment(1);
        tracing::error!(why, server = self.server, "mail was not sent");
        let mut state = self.state();
        state.failed += 1;
        state.failure = Some((self.clock.now(), why.to_owned()));
    }

    fn state(&self) -> MutexGuard<'_, MailState> {
        self.state.lock().expect("nothing panics while it holds this lock")
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

//! Every limit of the server that can be set, by name. `docs/limits.md` lists them; a test compares.

use super::BadSetting;

/// One limit, as the documentation lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitRow {
    /// As `--limit name=value` spells it.
    pub name: &'static str,
    /// Unless set.
    pub default: u64,
    /// What the number counts.
    pub unit: &'static str,
    /// Why this number.
    pub why: &'static str,
}

macro_rules! limits {
    ($($name:ident = $default:literal, $unit:literal, $why:literal;)*) => {
        /// Every limit that can be set with `--limit name=value`.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $(#[doc = concat!($why, " In ", $unit, ".")] pub $name: u64,)*
        }

        impl Limits {
            /// All limits with their defaults, in the documentation's order.
            pub const ROWS: &'static [LimitRow] = &[
                $(LimitRow { name: stringify!($name), default: $default, unit: $unit, why: $why },)*
            ];

            fn slot(&mut self, name: &str) -> Option<&mut u64> {
                match name {
                    $(stringify!($name) => Some(&mut self.$name),)*
                    _ => None,
                }
            }
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }
    };
}

limits! {
    json_body_bytes_max = 1_048_576, "bytes",
        "The largest body of an API call: calls carry names, not content.";
    json_body_ms_max = 30_000, "milliseconds",
        "How long a body may take to arrive: a bad train connection, not an open tap.";
    sign_in_attempts_per_minute = 10, "per user name",
        "Wrong passwords for one user name; then one waits. Right ones do not count.";
    sign_in_attempts_per_address_per_minute = 60, "per address",
        "Wrong passwords from one address (IPv6: /64), which an office may share.";
    code_attempts_per_hour = 30, "per person",
        "Wrong codes of a second factor, after the right password: three of a million are right at a time.";
    link_password_attempts_per_minute = 30, "per link",
        "Wrong passwords of one room's link; then everybody waits who does not hold it yet.";
    people_searches_per_minute = 120, "per person",
        "Searches for people to share with: typing, not copying the directory.";
    audited_failures_per_hour = 1_000, "failures",
        "Failed sign-ins that the audit log notes: guessing must not fill the disk.";
    secret_attempts_per_minute = 60, "per address",
        "Wrong set-up or invite secrets from one address. Secrets have 256 bits: this saves work.";
    registrations_per_hour = 600, "per address",
        "New accounts from one address; a course or a load test shares one.";
    access_requests_per_hour = 60, "per person",
        "Requests to be let into rooms, by one person: somebody lost, not somebody who knocks at every door.";
    mentions_per_minute = 120, "per person",
        "Mentions that one person has others told of: a list of a team, not a flood.";
    sockets_per_address_per_minute = 30_000, "per address",
        "Sockets opened from one address, signed in or not: an office, or a load test, that comes back all at once.";
    reset_asks_per_address_per_hour = 60, "per address",
        "Links to set a new password asked for from one address, which an office may share.";
    reset_mails_per_hour = 5, "per person",
        "Links to set a new password mailed to one person, whoever asks.";
    verify_mails_per_hour = 5, "per person",
        "Links that verify an address mailed for one person.";
    oidc_starts_per_address_per_minute = 600, "per address",
        "Browsers sent to the provider of OpenID Connect from one address: an office in the morning.";
    oidc_journeys_max = 10_000, "browsers",
        "Browsers on their way to the provider and back: some 1 KB each. The oldest are forgotten.";
    oidc_journey_ms_max = 600_000, "milliseconds",
        "How long one may be on its way: to find a password and a second factor.";
    oidc_answer_bytes_max = 1_048_576, "bytes",
        "The longest answer of the provider: its description, keys and tokens take some 10 KB.";
    oidc_answer_ms_max = 10_000, "milliseconds",
        "How long the provider may take to answer; somebody waits for it.";
    attempt_counters_max = 10_000, "counters",
        "Memory for the limits above: some 48 bytes each. The oldest are forgotten.";
    password_checks_at_once = 2, "checks",
        "Each takes a core for some 20 ms and 19 MiB of memory.";
    password_checks_waiting_max = 64, "checks",
        "Above it sign-ins are told to come back, rather than wait longer than people do.";
    rooms_per_person_max = 10_000, "rooms",
        "Rooms that one person owns, the trash included.";
    rooms_listed_max = 2_000, "rooms",
        "Rooms in one answer, those changed last: some 1 MB of JSON.";
    spaces_per_person_max = 200, "spaces",
        "Spaces of teams that one person owns.";
    members_per_space_max = 2_000, "people",
        "Members of a space, those invited included.";
    folders_per_space_max = 5_000, "folders",
        "Folders of a space, the trash included: the tree comes in one answer.";
    grant_seconds_max = 315_360_000, "seconds",
        "How long a right that ends by itself may last: ten years.";
    people_found_max = 20, "people",
        "People in the answer to a search.";
    people_near_max = 200, "people",
        "Members of one's teams in the answer without a search: the app looks through them by pinyin.";
    guests_per_link_max = 10_000, "guests",
        "Guests who have come by one link: browsers, as a rule.";
    guest_seconds_max = 2_592_000, "seconds",
        "How long a guest is known again: 30 days.";
    link_seconds_max = 315_360_000, "seconds",
        "How long a link that ends by itself may last: ten years.";
    manage_session_ms_max = 604_800_000, "milliseconds",
        "Since the password was shown last, in which one manages rights and the account without it: a week.";
    audit_days_max = 365, "days",
        "How long the audit log goes back.";
    audit_listed_max = 200, "acts",
        "Acts in one answer.";
    invites_per_room_max = 100, "links",
        "Invite links of one room that still work.";
    workspace_invites_max = 1_000, "links",
        "Invite links to the workspace that still work: one for each person invited by name.";
    invite_uses_max = 1_000, "people",
        "How many one invite link may let in.";
    invite_seconds_max = 7_776_000, "seconds",
        "How long an invite link may last: 90 days.";
    access_tokens_per_person_max = 100, "tokens",
        "Personal access tokens of one person: one for each program, expired ones included.";
    room_tokens_per_person_max = 100_000, "tokens",
        "Valid room tokens minted by one person: a host application mints one per visit.";
    room_token_seconds_max = 2_592_000, "seconds",
        "How long a room token may last: 30 days. Host applications do better with minutes.";
    mails_waiting_max = 1_000, "letters",
        "Letters that wait to be sent, those to be tried again included; above it they are dropped.";
    mail_attempts_max = 6, "attempts",
        "How often a letter is tried before it is given up: some 57 minutes, as long as its link works.";
    mail_retry_ms = 10_000, "milliseconds",
        "How long the first wait is; each further one is four times as long.";
    digest_delay_ms = 900_000, "milliseconds",
        "How long a notice stays unread before a letter tells of it, and a letter that could not be sent waits.";
    pushes_at_once = 32, "browsers",
        "Browsers to whose push services something is being sent, each given as long as a webhook's receiver.";
    push_tries_max = 8, "tries",
        "How often a browser is told of something: over some two hours. Later notices are tried again.";
    push_seconds = 86_400, "seconds",
        "How long a push service keeps what a browser cannot take: it is off, or far from any network.";
    webhooks_per_space_max = 20, "webhooks",
        "Webhooks of one space: one for each program that listens.";
    webhooks_at_once = 64, "receivers",
        "Receivers to which something is being sent: each is a socket, for seconds at most.";
    webhook_ms_max = 10_000, "milliseconds",
        "How long a receiver may take to answer: it is to note what comes, and work later.";
    webhook_tries_max = 10, "tries",
        "How often a delivery is tried: over some three days. Then its webhook is turned off.";
    webhook_change_ms = 60_000, "milliseconds",
        "A webhook is told of changes of one room at most once in so long: people type all day.";
    webhook_days_max = 30, "days",
        "How long deliveries that have come to their end are kept, to look at and to send again.";
    webhook_deliveries_kept_max = 1_000, "deliveries",
        "The same, for each webhook.";
    connections_per_address_max = 10_000, "connections",
        "Open connections from one address (IPv6: /64), sockets included; trusted proxies are not counted.";
    http_head_ms_max = 10_000, "milliseconds",
        "How long a connection may take to ask for something, or to ask again.";
    http_head_bytes_max = 65_536, "bytes",
        "The head of a request, and what is read ahead of it: state vectors in URLs are the longest.";
    http_stop_ms_max = 5_000, "milliseconds",
        "How long a stopping server waits for answers under way.";
    socket_stop_ms_max = 5_000, "milliseconds",
        "How long a stopping server waits for rooms to store, and for sockets to close.";
    room_mailbox_max = 1_024, "messages",
        "What waits for a room's task; senders beyond it wait.";
    picture_bytes_max = 8_388_608, "bytes",
        "The file of a person's picture: what a phone takes.";
    picture_pixels_max = 25_000_000, "pixels",
        "The same, decoded: 100 MB of memory, for one picture at a time.";
    room_idle_ms = 60_000, "milliseconds",
        "How long a room stays in memory after the last one left: reloads come soon or late.";
    quota_check_ms = 5_000, "milliseconds",
        "How often what spaces hold is added up, while it changes: a quota may be heeded so much later.";
    room_touch_ms = 10_000, "milliseconds",
        "How often a busy room notes in the metadata that it changed.";
    room_bytes_max = 67_108_864, "bytes",
        "State of one room and what was logged on top of it: what one process can hold and load.";
    room_recent_bytes_max = 1_048_576, "bytes",
        "Entries kept in memory for those who come back soon.";
    quarantine_files_max = 1_000, "files",
        "Operations that made a room fail, kept for those who run the server. The oldest go.";
    quarantine_bytes_max = 268_435_456, "bytes",
        "What those take on the disk.";
    document_json_bytes_max = 67_108_864, "bytes",
        "A document as JSON: marks and attributes can take more than the document itself.";
    document_json_at_once = 2, "documents",
        "Put into JSON at once; others wait. Each takes a core and a copy of the document.";
    room_queue_bytes_max = 16_777_216, "bytes",
        "Operations of one room that wait to be decided; beyond it clients hear `busy`.";
    presence_bytes_max = 4_096, "bytes",
        "Presence of one session: cursors, not content.";
    connections_per_person_max = 1_000, "sockets",
        "Sockets of one person: tabs, devices and programs.";
    connections_per_room_token_max = 1_000, "sockets",
        "Sockets of one room token, which may have been given to many.";
    connections_by_room_tokens_max = 100_000, "sockets",
        "Sockets of all room tokens minted by one person: the people of a host application.";
    connections_per_link_max = 1_000, "sockets",
        "Sockets of all guests who came by one link.";
    rooms_per_connection_max = 200, "rooms",
        "Rooms that one socket follows at once.";
    frame_bytes_max = 8_388_608, "bytes",
        "The largest message on a socket: several operations fit in.";
    op_bytes_max = 4_194_304, "bytes",
        "The largest operation: a pasted book; pictures go elsewhere.";
    ops_per_second = 200, "per socket",
        "Operations, on the average; people type 10 a second at most, gathered to fewer.";
    ops_burst = 2_000, "operations",
        "Operations at once: coming back from a day offline.";
    frames_per_second = 400, "per socket",
        "Frames of all sorts, on the average.";
    frames_burst = 4_000, "frames",
        "Frames at once. Above it the socket is closed.";
    heartbeat_ms = 10_000, "milliseconds",
        "A socket silent for three times as long is closed; its person is gone from the room.";
    hello_ms_max = 10_000, "milliseconds",
        "How long a new socket may take to say who it is.";
    yjs_states_bytes_burst = 268_435_456, "bytes",
        "States that one Yjs socket may be sent at once: all of what it follows, some times over.";
    yjs_states_bytes_per_second = 8_388_608, "bytes",
        "The same on the average: encoding a state takes a room's time.";
    outbox_events_bytes_max = 1_048_576, "bytes",
        "Events that wait for one slow reader, merged; above it they are dropped and it has to pull.";
    outbox_bytes_max = 134_217_728, "bytes",
        "All that waits for one reader, states of large rooms included; above it the socket is closed.";
}

impl Limits {
    /// Sets the limit of that name.
    ///
    /// # Errors
    /// If there is no such limit, or it would be 0: a limit cannot be switched off by nothing.
    pub fn set(&mut self, name: &str, value: u64) -> Result<(), BadSetting> {
        let slot =
            self.slot(name).ok_or_else(|| BadSetting(format!("there is no limit {name:?}")))?;
        if value == 0 {
            return Err(BadSetting(format!("limit {name} must be at least 1")));
        }
        *slot = value;
        Ok(())
    }

    /// Sets a limit from `name=value`.
    ///
    /// # Errors
    /// As [`Limits::set`], and if the text is not of that form.
    pub fn set_from(&mut self, text: &str) -> Result<(), BadSetting> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| BadSetting(format!("{text:?} is not name=value")))?;
        let value = value.trim().replace('_', "").parse();
        let value =
            value.map_err(|_| BadSetting(format!("limit {name} must be a whole number")))?;
        self.set(name.trim(), value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_set_by_name() {
        let mut limits = Limits::default();
        assert_eq!(limits.set_from("json_body_bytes_max=2_000"), Ok(()));
        assert_eq!(limits.json_body_bytes_max, 2000);
        for bad in
            ["nonsense=1", "json_body_bytes_max", "json_body_bytes_max=-1", "json_body_bytes_max=0"]
        {
            assert!(limits.set_from(bad).is_err(), "{bad}");
        }
        assert_eq!(limits.json_body_bytes_max, 2000);
    }

    #[test]
    fn the_documentation_lists_every_limit() {
        let text = include_str!("../../../../docs/limits.md");
        for row in Limits::ROWS {
            let line = format!("| `{}` | {} | {} | {} |", row.name, row.default, row.unit, row.why);
            assert!(text.lines().any(|l| l == line), "docs/limits.md should say:\n{line}");
        }
    }
}

//! Letters about notices that nobody has read.

use std::time::Duration;

use serde_json::json;
use tokio::time::{sleep, timeout};
use weft_core::kind::inbox::Op;

use crate::{
    account_links::{registered, with_mail},
    inbox::{Watched, share},
    smtp::{Received, Smtp},
    support::{Caller, DAY, MINUTE, Server},
};

/// What the limits say.
const DELAY: u64 = 15 * MINUTE;

/// Three with verified addresses; the last one's letters show that another's would have come by now.
async fn people(server: &Server, smtp: &mut Smtp) -> [Caller; 3] {
    [
        registered(server, smtp, "lin", true).await,
        registered(server, smtp, "bo", true).await,
        registered(server, smtp, "zoe", true).await,
    ]
}

/// Shares something new with somebody, and waits until that is in their inbox.
async fn tell(from: &Caller, to: (&Caller, &str), title: &str) -> String {
    let mut inbox = Watched::open(to.0).await;
    let lines = |inbox: &Watched| inbox.notices().len();
    let before = lines(&inbox);
    let room = from.document(title).await;
    share(from, &room, to.1, "read").await;
    inbox.holds(before + 1).await;
    room
}

/// The next letter is this one's.
async fn letter_to(smtp: &mut Smtp, who: &str) -> Received {
    let letter = smtp.letter().await;
    assert_eq!(letter.to, format!("{who}@example.org"), "{letter:?}");
    letter
}

#[tokio::test]
async fn what_stays_unread_is_mailed_once_in_the_readers_language() {
    let (server, mut smtp) = with_mail().await;
    let [lin, bo, zoe] = people(&server, &mut smtp).await;
    assert_eq!(bo.get("/auth/me").await.expect(200)["user"]["digest"], "daily");
    bo.patch("/auth/me", json!({"language": "zh"})).await.expect(200);
    let plan = tell(&lin, (&bo, "bo"), "计划").await;
    server.clock.advance(DELAY);
    let letter = letter_to(&mut smtp, "bo").await;
    let url = server.running.url();
    assert!(letter.text.contains("lin 与你分享了“计划”"), "{}", letter.text);
    assert!(letter.text.contains(&format!("{url}/o/{plan}")), "{}", letter.text);
    assert!(letter.text.contains(&format!("{url}/settings")), "{}", letter.text);

    // Neither the same again, nor before a day has passed.
    tell(&lin, (&bo, "bo"), "Next").await;
    tell(&lin, (&zoe, "zoe"), "Other").await;
    server.clock.advance(DELAY);
    let letter = letter_to(&mut smtp, "zoe").await;
    assert_eq!(letter.subject, "lin shared =?utf-8?b?4oCcT3RoZXLigJ0=?= with you");
    server.clock.advance(DAY - DELAY);
    let letter = letter_to(&mut smtp, "bo").await;
    assert!(letter.text.contains("“Next”") && !letter.text.contains("计划"), "{}", letter.text);

    bo.patch("/auth/me", json!({"digest": "hourly", "language": "en"})).await.expect(200);
    for title in ["A", "B", "C"] {
        tell(&lin, (&bo, "bo"), title).await;
    }
    server.clock.advance(60 * MINUTE);
    let letter = letter_to(&mut smtp, "bo").await;
    assert_eq!(letter.subject, "Weft: 3 unread notices");
    let places = ["“C”", "“B”", "“A”"].map(|title| letter.text.find(title).expect(title));
    assert!(places.is_sorted(), "the newest first: {}", letter.text);
}

#[tokio::test]
async fn what_is_read_or_closed_by_then_is_not_mailed_nor_is_anything_to_who_wants_none() {
    let (server, mut smtp) = with_mail().await;
    let [lin, bo, zoe] = people(&server, &mut smtp).await;
    registered(&server, &mut smtp, "cy", false).await;
    for title in ["Read", "Open"] {
        tell(&lin, (&bo, "bo"), title).await;
    }
    let closed = tell(&lin, (&bo, "bo"), "Closed").await;
    let muted = tell(&lin, (&bo, "bo"), "Muted").await;
    lin.delete(&format!("/rooms/{closed}/grants/bo")).await.expect(204);
    bo.call(reqwest::Method::PUT, &format!("/rooms/{muted}/mute"), None).await.expect(204);
    let mut inbox = Watched::open(&bo).await;
    let first = inbox.notices()[0].id;
    inbox.submit(&Op::MarkRead(vec![first])).await;
    inbox.reads(first).await;
    // An address that nobody has confirmed may be a stranger's.
    share(&lin, &lin.document("Not hers").await, "cy", "read").await;
    server.clock.advance(DELAY);
    let letter = letter_to(&mut smtp, "bo").await;
    assert!(letter.text.contains("“Open”"), "{}", letter.text);
    for title in ["Read", "Closed", "Muted"] {
        assert!(!letter.text.contains(title), "{title}: {}", letter.text);
    }

    // What is due is called off, and nothing falls due.
    tell(&lin, (&bo, "bo"), "Too much").await;
    let off = bo.patch("/auth/me", json!({"digest": "off"})).await.expect(200);
    assert_eq!(off["user"]["digest"], "off");
    tell(&lin, (&bo, "bo"), "More").await;
    // Somebody who has read it all.
    tell(&lin, (&zoe, "zoe"), "Seen").await;
    let mut inbox = Watched::open(&zoe).await;
    let seen = inbox.notices()[0].id;
    inbox.submit(&Op::MarkRead(vec![seen])).await;
    inbox.reads(seen).await;
    server.clock.advance(2 * DAY);
    tell(&lin, (&zoe, "zoe"), "New").await;
    server.clock.advance(DELAY);
    let letter = letter_to(&mut smtp, "zoe").await;
    assert!(letter.text.contains("“New”") && !letter.text.contains("“Seen”"), "{}", letter.text);

    let refused = bo.patch("/auth/me", json!({"digest": "weekly"})).await;
    let refused = refused.refused(400, "bad_request");
    assert_eq!((&refused["field"], &refused["reason"]), (&json!("digest"), &json!("unknown")));
}

/// Waits until that is so.
async fn until(is_so: impl AsyncFn() -> bool) {
    let polled = async {
        while !is_so().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(60), polled).await.expect("it comes to that");
}

/// Waits until the server of mail has refused what it was to refuse, and no letter is due any more.
async fn settled(server: &Server, smtp: &Smtp) {
    let meta = &server.running.state().meta;
    let due = async || meta.due_digests(server.clock.now(), 1).await.unwrap();
    until(async || smtp.refusals_left() == 0 && due().await.is_empty()).await;
}

#[tokio::test]
async fn a_letter_outlasts_a_restart_and_an_outage_and_is_given_up_if_refused_for_good() {
    let (server, mut smtp) = with_mail().await;
    let [lin, bo, _] = people(&server, &mut smtp).await;
    bo.patch("/auth/me", json!({"digest": "hourly"})).await.expect(200);
    tell(&lin, (&bo, "bo"), "Lost").await;
    smtp.refuse(&["550 never"]);
    server.clock.advance(DELAY);
    settled(&server, &smtp).await;

    tell(&lin, (&bo, "bo"), "Plan").await;
    // Delivered anew after the restart it would be due later.
    let meta = &server.running.state().meta;
    until(async || meta.deliveries(0, 1).await.unwrap().is_empty()).await;
    let server = server.restart(smtp.config()).await;
    smtp.refuse(&["451 not now"]);
    server.clock.advance(DELAY + 60 * MINUTE);
    settled(&server, &smtp).await;
    server.clock.advance(DELAY);
    let letter = letter_to(&mut smtp, "bo").await;
    assert!(letter.text.contains("“Plan”") && !letter.text.contains("Lost"), "{}", letter.text);
}

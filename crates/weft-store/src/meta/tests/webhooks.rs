//! What waits for webhooks: stored with the change or not at all, claimed by one at a time, gathered, forgotten.

use std::collections::BTreeSet;

use super::{
    super::webhook_events::{self, Happening},
    *,
};

const HOOK: WebhookId = [9; 16];
/// Changes of one room are told so far apart.
const APART: Millis = 60_000;

impl Fixture {
    /// A webhook of the person's own space.
    async fn webhook(&self, id: u8, owner: PersonId, events: &[Event]) {
        let new = NewWebhook {
            id: [id; 16],
            name: "Listener".to_owned(),
            url: "https://example.org/".to_owned(),
            secret: "whsec_AAAA".to_owned(),
            events: events.iter().copied().collect::<BTreeSet<_>>(),
        };
        self.meta.create_webhook(personal(owner), new, owner, 99, 1).await.unwrap();
    }

    async fn claims(&self, until: Millis, now: Millis) -> Vec<ClaimedDelivery> {
        self.meta.claim_deliveries(99, until, now).await.unwrap()
    }

    /// Numbers, states and events of all deliveries, the first first.
    async fn deliveries(&self, owner: PersonId) -> Vec<(u64, String, String)> {
        let rows = self.meta.webhook_deliveries(personal(owner), HOOK, owner, None, 99).await;
        let rows = rows.unwrap().into_iter().rev();
        rows.map(|row| (row.id, row.state, row.event)).collect()
    }

    /// Sends a delivery, which is taken.
    async fn sends(&self, claimed: &ClaimedDelivery, now: Millis) {
        self.meta.end_attempt(claimed, &attempt(now, Some(204), None), now).await.unwrap();
    }
}

fn attempt(at: Millis, status: Option<u16>, again_at: Option<Millis>) -> Attempt {
    let fault = (status != Some(204)).then_some("status");
    Attempt { at, took_ms: 1, status, fault, answer: String::new(), again_at }
}

fn ids(claimed: &[ClaimedDelivery]) -> Vec<u64> {
    claimed.iter().map(|claimed| claimed.id).collect()
}

#[tokio::test]
async fn a_change_that_is_rolled_back_tells_nothing() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    f.webhook(9, lin, &[Event::RoomCreated]).await;
    let room = f.room(2, lin, None).await;
    assert_eq!(f.deliveries(lin).await.len(), 1);
    let write = f.meta.write().await.unwrap();
    let again = Happening::to_room(Event::RoomCreated, room, personal(lin), lin, 5);
    webhook_events::post(&write.txn, &again, None).await.unwrap();
    drop(write);
    assert_eq!(f.deliveries(lin).await.len(), 1);
    // Refused: the key is taken.
    f.room(3, lin, Some("plan")).await;
    let new = new_room(4, lin, Some("plan"));
    assert!(f.meta.create_room(&new, ROOMS_MAX, 5).await.is_err());
    assert_eq!(f.deliveries(lin).await.len(), 2);
}

#[tokio::test]
async fn a_claim_is_one_servers_until_it_runs_out() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    f.webhook(9, lin, &[Event::RoomCreated]).await;
    f.webhook(8, lin, &[Event::RoomCreated]).await;
    f.room(2, lin, None).await;
    f.room(3, lin, None).await;
    let first = f.claims(100, 10).await;
    assert_eq!(first.len(), 2, "one for each webhook");
    assert!(f.claims(100, 99).await.is_empty(), "the others wait for those");
    // Whoever claimed them is gone.
    let again = f.claims(200, 100).await;
    assert_eq!(ids(&again), ids(&first));
    // It was slow, not gone: what it says comes too late.
    f.meta.end_attempt(&first[0], &attempt(100, Some(500), None), 100).await.unwrap();
    assert!(f.claims(200, 150).await.is_empty());
    for claimed in &again {
        f.sends(claimed, 150).await;
    }
    let next = f.claims(300, 150).await;
    assert_eq!(next.len(), 2);
    assert!(next.iter().all(|claimed| !ids(&first).contains(&claimed.id)));
}

#[tokio::test]
async fn one_that_waits_for_its_next_try_lets_others_go_first() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    f.webhook(9, lin, &[Event::RoomCreated]).await;
    f.room(2, lin, None).await;
    f.room(3, lin, None).await;
    let first = f.claims(100, 10).await;
    f.meta.end_attempt(&first[0], &attempt(10, Some(500), Some(1_000)), 10).await.unwrap();
    let second = f.claims(100, 20).await;
    assert_ne!(ids(&second), ids(&first));
    f.sends(&second[0], 20).await;
    assert!(f.claims(100, 999).await.is_empty());
    assert_eq!(ids(&f.claims(2_000, 1_000).await), ids(&first));
}

#[tokio::test]
async fn changes_of_a_room_are_told_apart_and_the_last_is_told() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    let room = f.room(2, lin, None).await;
    f.webhook(9, lin, &[Event::RoomChanged]).await;
    let touch = async |at| f.meta.touch(room, lin, at, None, APART).await.unwrap();
    touch(1_000).await;
    touch(1_500).await;
    let first = f.claims(40_000, 2_000).await;
    assert_eq!((first.len(), first[0].at), (1, 1_500), "one, of the last change");
    // While it is on its way the room changes again: that is told, too, but not now.
    touch(3_000).await;
    f.sends(&first[0], 4_000).await;
    touch(5_000).await;
    assert_eq!(f.deliveries(lin).await.len(), 2);
    assert!(f.claims(99_000, 60_000).await.is_empty());
    let second = f.claims(99_000, 64_000).await;
    assert_eq!((second.len(), second[0].at), (1, 5_000));
    f.sends(&second[0], 64_000).await;
    // Long afterwards nothing is to be waited for.
    touch(500_000).await;
    assert_eq!(f.claims(600_000, 500_000).await.len(), 1);
}

#[tokio::test]
async fn what_has_come_to_its_end_is_forgotten_and_what_waits_is_not() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    f.webhook(9, lin, &[Event::RoomCreated]).await;
    for id in 2..7 {
        f.room(id, lin, None).await;
    }
    for now in 10..13 {
        let claimed = f.claims(100, now).await;
        f.sends(&claimed[0], now).await;
    }
    let states = async || -> Vec<(u64, String)> {
        f.deliveries(lin).await.into_iter().map(|(id, state, _)| (id, state)).collect()
    };
    let is = |expected: &[(u64, &str)]| -> Vec<(u64, String)> {
        expected.iter().map(|(id, state)| (*id, (*state).to_owned())).collect()
    };
    let (done, waits) = ("delivered", "waiting");
    assert_eq!(states().await, is(&[(1, done), (2, done), (3, done), (4, waits), (5, waits)]));
    f.meta.forget_deliveries(3, 99).await.unwrap();
    assert_eq!(states().await, is(&[(2, done), (3, done), (4, waits), (5, waits)]));
    f.meta.forget_deliveries(0, 3).await.unwrap();
    assert_eq!(states().await, is(&[(3, done), (4, waits), (5, waits)]));
    f.meta.forget_deliveries(1_000, 1).await.unwrap();
    assert_eq!(states().await, is(&[(4, waits), (5, waits)]));
}

#[tokio::test]
async fn a_webhook_that_is_turned_off_forgets_what_waits() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    f.webhook(9, lin, &[Event::RoomCreated]).await;
    f.room(2, lin, None).await;
    f.room(3, lin, None).await;
    let under_way = f.claims(100, 10).await;
    let off = WebhookChange { on: Some(false), ..WebhookChange::default() };
    f.meta.change_webhook(personal(lin), HOOK, off, lin, 20).await.unwrap();
    f.room(4, lin, None).await;
    f.meta.end_attempt(&under_way[0], &attempt(20, Some(500), Some(30)), 20).await.unwrap();
    let states: Vec<_> = f.deliveries(lin).await.into_iter().map(|(_, state, _)| state).collect();
    assert_eq!(states, ["failed", "failed"]);
    assert!(f.claims(2_000, 1_000).await.is_empty());
    assert!(f.meta.silent_webhooks(9).await.unwrap().is_empty(), "whoever did it knows");
    // By hand all the same.
    f.meta.send_again(personal(lin), HOOK, under_way[0].id, lin, 1_000).await.unwrap();
    assert_eq!(ids(&f.claims(2_000, 1_000).await), ids(&under_way));
}

#[tokio::test]
async fn managers_are_told_once_that_a_webhook_was_turned_off() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    f.webhook(9, lin, &[Event::RoomCreated]).await;
    f.room(2, lin, None).await;
    let claimed = f.claims(100, 10).await;
    f.meta.end_attempt(&claimed[0], &attempt(10, Some(410), Some(30)), 10).await.unwrap();
    let silent = f.meta.silent_webhooks(9).await.unwrap();
    assert_eq!(silent.len(), 1);
    assert_eq!((silent[0].because, silent[0].managers.as_slice()), (OffBecause::Gone, &[lin][..]));
    let news = [NewDelivery { to: lin, about: None, op: vec![1] }];
    f.meta.tell_of_webhook(HOOK, &news, 20).await.unwrap();
    f.meta.tell_of_webhook(HOOK, &news, 20).await.unwrap();
    assert_eq!(f.meta.deliveries(0, 9).await.unwrap().len(), 1);
    assert!(f.meta.silent_webhooks(9).await.unwrap().is_empty());
}
